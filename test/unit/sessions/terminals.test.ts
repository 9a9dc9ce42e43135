import { describe, expect, it } from 'vitest';
import { settle, standStill } from '../support/clock.ts';
import type { Script } from '../support/memory-process.ts';
import { openService } from '../support/open-service.ts';
import { byName } from '../support/scripts.ts';

standStill();

const cat: Script = async (_, { input, print }) => {
  await print(await input());
  return {};
};
const PTY = { cols: 80, rows: 24 };
const command = (more: object = {}) => ({
  type: 'execute_shell',
  id: 'mine',
  commandName: 'cat',
  pty: PTY,
  ...more,
});
const BACKGROUND = command({ background: true });

async function withSession({ pty = true } = {}) {
  const all = openService({ script: byName({ cat }), capabilities: { pty } });
  return { ...all, ...(await all.session()) };
}

describe('a terminal', () => {
  it('belongs to a command in the background, and is typed into and resized there', async () => {
    const { execute, id, service, call, runtime, events } = await withSession();
    const { result } = await execute(BACKGROUND);
    expect(result).toMatchObject({ success: true, result: { commandId: 'mine' } });
    const [process] = runtime.last.processes.slice(-1);
    expect(process!.spec).toMatchObject({ pty: PTY, stdin: 'pipe', env: { TERM: 'xterm-256color' } });
    await service.processes.resize({ sessionId: id }, { cols: 1, rows: 1000 }, call());
    expect(process!.sizes).toEqual([{ cols: 1, rows: 1000 }]);
    await service.processes.input({ sessionId: id }, Buffer.from('typed'), true, call());
    await settle();
    const stream = (await events())[Symbol.asyncIterator]();
    await stream.next();
    expect((await stream.next()).value).toMatchObject({ params: { stream: 'stdout', text: 'typed' } });
  });

  it('is for a stream too, and the variables of its program stand over its own', async () => {
    const { execute, runtime } = await withSession();
    const running = execute(command({ environment: { TERM: 'vt100' } }), {}, { stream: true });
    running.catch(() => {});
    await settle();
    expect(runtime.last.processes.at(-1)!.spec).toMatchObject({ env: { TERM: 'vt100' } });
  });

  it.each([
    ['nobody could see', command(), 'pty: needs background: true or stream: true'],
    ['has a stdin beside it', command({ background: true, stdin: '' }), 'stdin: a terminal has none'],
  ])('is refused where it %s', async (_, refused, message) => {
    const { execute } = await withSession();
    await expect(execute(refused)).rejects.toThrow(message);
  });

  it.each([
    [{ cols: 0, rows: 24 }, 'pty.cols'],
    [{ cols: 10_000, rows: 24 }, 'pty.cols'],
    [{ cols: 80, rows: 1001 }, 'pty.rows'],
    [{ cols: 80, rows: 1.5 }, 'pty.rows'],
    [{ cols: 80 }, 'pty.rows'],
    [{ cols: 80, rows: 24, depth: 1 }, 'pty.depth'],
  ])('of the size %j is refused, naming %s', async (pty, field) => {
    const { execute } = await withSession();
    await expect(async () => execute(command({ background: true, pty }))).rejects.toMatchObject({
      code: 'VALIDATION_ERROR',
      field: `command.${field}`,
    });
  });

  it('is refused on a runtime that has none', async () => {
    const { execute } = await withSession({ pty: false });
    await expect(execute(BACKGROUND)).rejects.toMatchObject({ code: 'NOT_SUPPORTED', field: 'command.pty' });
  });

  it('is what process.resize needs', async () => {
    const { execute, id, service, call } = await withSession();
    await execute(command({ background: true, pty: undefined }));
    await expect(service.processes.resize({ sessionId: id }, PTY, call())).rejects.toThrow('no terminal');
    await expect(
      service.processes.resize({ sessionId: id, commandId: 'other' }, PTY, call()),
    ).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('is nobody else’s', async () => {
    const { execute, id, service, call } = await withSession();
    await execute(BACKGROUND);
    const stranger = call({ owner: 'another' });
    await expect(service.processes.resize({ sessionId: id }, PTY, stranger)).rejects.toMatchObject({
      code: 'SESSION_NOT_FOUND',
    });
    await expect(
      service.processes.input({ sessionId: id, commandId: 'mine' }, Buffer.from('x'), false, stranger),
    ).rejects.toMatchObject({ code: 'SESSION_NOT_FOUND' });
  });
});
