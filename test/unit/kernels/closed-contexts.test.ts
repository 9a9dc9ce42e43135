import { describe, expect, it, vi } from 'vitest';
import { openService } from '../support/open-service.ts';
import { byName, cells } from '../support/scripts.ts';

const script = byName({
  kernel: cells({
    ok: () => undefined,
    hang: ({ killed }) => new Promise(resolve => killed.addEventListener('abort', () => resolve(undefined))),
  }),
});

async function open() {
  const { service, call, session, runtime } = openService({ script });
  const { id, cell } = await session();
  const count = async (context: string) =>
    ((await cell('ok', { context })).result as { executionCount: number }).executionCount;
  const close = (context: string) => service.sessions.closeContext(id, context, call());
  return { cell, count, close, runtime, service, id, call };
}

describe('a context that is closed', () => {
  it('is forgotten: the next one of its name is another', async () => {
    const { count, close, runtime } = await open();
    expect([await count('a'), await count('a'), await count('b')]).toEqual([1, 2, 1]);
    await close('a');
    expect(runtime.last.processes.map(({ runs }) => runs)).toEqual([false, true]);
    expect([await count('a'), await count('b')]).toEqual([1, 2]);
  });

  it('makes room for another', async () => {
    const { count, close } = await open();
    for (let i = 0; i < 300; i++) {
      expect(await count(`context ${i}`)).toBe(1);
      await close(`context ${i}`);
    }
  });

  it('ends the cell that runs in it, and refuses those that wait for it', async () => {
    const { cell, close, count, runtime } = await open();
    const running = cell('hang', { context: 'a' });
    const waiting = cell('ok', { context: 'a' });
    waiting.catch(() => {});
    await vi.waitFor(() => expect(runtime.last.processes.at(-1)?.told).toHaveLength(1), { timeout: 15_000 });
    await close('a');
    expect(await running).toMatchObject({ success: false, error: expect.stringMatching(/state is gone/) });
    await expect(waiting).rejects.toMatchObject({ code: 'CONFLICT', message: 'The context was closed' });
    expect(runtime.last.processes.some(({ runs }) => runs)).toBe(false);
    expect(await count('a')).toBe(1);
  });

  it('is nobody’s but its session’s owner’s', async () => {
    const { service, id, call, count } = await open();
    await count('a');
    await expect(service.sessions.closeContext(id, 'a', call({ owner: 'other' }))).rejects.toMatchObject({
      code: 'SESSION_NOT_FOUND',
    });
    expect(await count('a')).toBe(2);
  });
});
