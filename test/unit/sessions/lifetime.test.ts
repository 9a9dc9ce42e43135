import { describe, expect, it, vi } from 'vitest';
import { SandboxLost } from '../../../src/sandbox.ts';
import { pass, settle, standStill } from '../support/clock.ts';
import { openService, readAll } from '../support/open-service.ts';
import { byName, echo, kernel, runsOn } from '../support/scripts.ts';

standStill();

const MINUTE = 60_000;
const script = byName({ kernel: echo, sleep: runsOn });
/** A kernel whose cells never end. */
const hangs = kernel(
  (_, { killed }) => new Promise(resolve => killed.addEventListener('abort', () => resolve({}))),
);
const gone = { code: 'SESSION_NOT_FOUND' };

describe('an idle session', () => {
  it('ends when its idle timeout is over, and not before', async () => {
    const { session, runtime, log } = openService({ script });
    const { id, info } = await session({ idleTimeoutMinutes: 2 });
    await pass(2 * MINUTE - 1000);
    expect((await info()).sessionId).toBe(id);
    await pass(1000);
    await expect(info()).rejects.toMatchObject(gone);
    expect(runtime.open).toEqual([]);
    expect(log.named('session closed')).toMatchObject([{ level: 'info', sessionId: id, reason: 'idle' }]);
  });

  it('starts its timeout anew with a command', async () => {
    const { session } = openService({ script });
    const { info, cell } = await session({ idleTimeoutMinutes: 1 });
    await pass(50_000);
    await cell('x');
    await pass(50_000);
    await info();
    await pass(11_000);
    await expect(info()).rejects.toMatchObject(gone);
  });

  it('starts its timeout anew when it is told to be kept alive', async () => {
    const { session, service, call } = openService({ script });
    const { id, info } = await session({ idleTimeoutMinutes: 1 });
    await pass(50_000);
    expect(await service.sessions.keepAlive(id, call())).toMatchObject({ idleMinutes: 0 });
    await pass(50_000);
    await info();
    await pass(11_000);
    await expect(info()).rejects.toMatchObject(gone);
  });

  it('starts its timeout anew when somebody follows its events', async () => {
    const { session } = openService({ script });
    const { info, events } = await session({ idleTimeoutMinutes: 1 });
    await pass(50_000);
    await events();
    await pass(50_000);
    await info();
  });

  it('is not kept alive by being looked at', async () => {
    const { session, service, call } = openService({ script });
    const { info } = await session({ idleTimeoutMinutes: 1 });
    for (let i = 0; i < 6; i++) {
      await info();
      await service.sessions.list({}, call());
      await pass(10_000);
    }
    await expect(info()).rejects.toMatchObject(gone);
  });

  it('says how long it has been idle, and how long it has lived', async () => {
    const { session } = openService({ script });
    const { info, cell } = await session();
    await pass(90_000);
    await cell('x');
    await pass(30_000);
    expect(await info()).toMatchObject({
      idleMinutes: 0.5,
      lifetimeMinutes: 2,
      state: 'Idle',
      executionCount: 1,
      lastActivity: '2026-01-01T00:01:30.000Z',
    });
  });
});

describe('a session at work', () => {
  it('is not idle, however long its command takes', async () => {
    const { session } = openService({ script, settings: { maxTimeoutSeconds: 3600 } });
    const { info, shell } = await session({ idleTimeoutMinutes: 1 });
    const running = shell('sleep', { timeout: 600 });
    await pass(300_000);
    expect(await info()).toMatchObject({ state: 'Active', idleMinutes: 0 });
    await pass(300_000);
    expect(await running).toMatchObject({ success: true });
    await pass(59_000);
    expect(await info()).toMatchObject({ state: 'Idle' });
  });

  it('is idle with nothing but a program in the background, which ends with it', async () => {
    const { session, runtime } = openService({ script });
    const { info, shell } = await session({ idleTimeoutMinutes: 1 });
    await shell('sleep', { background: true });
    await pass(59_000);
    expect(await info()).toMatchObject({ state: 'Idle' });
    await pass(1000);
    await expect(info()).rejects.toMatchObject(gone);
    expect(runtime.last.processes.map(({ runs }) => runs)).toEqual([false]);
  });

  it('ends when its lifetime is over, and its command with it', async () => {
    const { session, log, runtime } = openService({ script, settings: { maxTimeoutSeconds: 3600 } });
    const { shell } = await session({ maxLifetimeMinutes: 1 });
    const running = shell('sleep', { timeout: 600 });
    await pass(59_000);
    expect(runtime.open).toHaveLength(1);
    await pass(1000);
    expect(await running).toMatchObject({ result: { outcome: 'cancelled' } });
    expect(runtime.open).toEqual([]);
    expect(log.named('session closed')).toMatchObject([{ reason: 'lifetime' }]);
  });

  it('ends by its lifetime though it is kept alive', async () => {
    const { session, service, call } = openService({ script });
    const { id } = await session({ maxLifetimeMinutes: 1, idleTimeoutMinutes: 1 });
    for (let i = 0; i < 5; i++) {
      await pass(11_000);
      await service.sessions.keepAlive(id, call());
    }
    await pass(5000);
    await expect(service.sessions.keepAlive(id, call())).rejects.toMatchObject(gone);
  });
});

describe('a clock that is set', () => {
  it.each([
    ['back', -24],
    ['forward', 24],
  ])('%s ends no session and keeps none', async (_way, hours) => {
    const { session } = openService({ script });
    const { info } = await session({ idleTimeoutMinutes: 1 });
    vi.setSystemTime(Date.now() + hours * 60 * MINUTE);
    await pass(59_000);
    await info();
    await pass(1000);
    await expect(info()).rejects.toMatchObject(gone);
  });

  it('back makes nothing negative', async () => {
    const { session } = openService({ script });
    const { info } = await session();
    vi.setSystemTime(0);
    expect(await info()).toMatchObject({ idleMinutes: 0, lifetimeMinutes: 0 });
  });
});

describe('a session that is closed', () => {
  it('is gone, and its sandbox with it', async () => {
    const { session, runtime, log, service, call } = openService({ script });
    const { id, close } = await session();
    expect(await close()).toEqual({ sessionId: id, closed: true });
    expect(runtime.open).toEqual([]);
    expect(await service.sessions.list({}, call())).toEqual({ count: 0, sessions: [], nextCursor: null });
    expect(log.named('session closed')).toMatchObject([{ reason: 'client' }]);
  });

  it('answers twice at once, and is told of once', async () => {
    const { session, log } = openService({ script });
    const { close } = await session();
    expect(await Promise.all([close(), close()])).toMatchObject([{ closed: true }, { closed: true }]);
    expect(log.named('session closed')).toHaveLength(1);
  });

  it('is not there a second time', async () => {
    const { session } = openService({ script });
    const { close } = await session();
    await close();
    await expect(close()).rejects.toMatchObject(gone);
  });

  it('takes no command while it closes', async () => {
    const { session, runtime } = openService({ script });
    const { close, cell, info } = await session();
    const closed = Promise.withResolvers<void>();
    runtime.last.beforeClose = () => closed.promise;
    const closing = close();
    await settle();
    expect(await info()).toMatchObject({ state: 'Closing' });
    await expect(cell('x')).rejects.toMatchObject({ code: 'SESSION_CLOSED' });
    closed.resolve();
    await closing;
  });

  it('cancels what runs, and tells its end before its events end', async () => {
    const { session } = openService({ script });
    const { close, execute, events } = await session();
    const told = readAll(events());
    const running = execute({ type: 'execute_shell', commandName: 'sleep' }, {}, { stream: true });
    await settle();
    await close();
    expect(await running).toMatchObject({ result: { result: { outcome: 'cancelled' } } });
    expect((await told).at(-1)).toMatchObject({
      method: 'execution.completed',
      params: { status: 'cancelled' },
    });
  });

  it('is forgotten though its sandbox does not close, and says so', async () => {
    const { session, runtime, service } = openService({ script });
    const { close, info } = await session();
    runtime.last.beforeClose = async () => {
      throw new Error('the engine is gone');
    };
    await expect(close()).rejects.toThrow('the engine is gone');
    await expect(info()).rejects.toMatchObject(gone);
    expect((await service.health()).sessions).toBe(0);
  });
});

describe('a session whose sandbox is lost', () => {
  it('ends by itself', async () => {
    const { session, runtime, log } = openService({ script });
    const { info, events } = await session();
    const told = readAll(events());
    runtime.last.lose();
    await settle();
    await expect(info()).rejects.toMatchObject(gone);
    expect(await told).toEqual([]);
    expect(log.named('session closed')).toMatchObject([{ reason: 'lost' }]);
  });

  it.each([
    [false, 'sandbox_lost', 'The sandbox was lost (sandbox_lost)'],
    [true, 'memory_limit', 'Memory limit exceeded (memory_limit)'],
  ])('says how its cell ended; out of memory: %s', async (outOfMemory, outcome, sentence) => {
    const { session, runtime } = openService({ script: hangs });
    const { cell } = await session();
    const running = cell('x');
    await settle();
    runtime.last.lose(new SandboxLost('gone', outOfMemory));
    const { success, result, error } = await running;
    expect({ success, result }).toMatchObject({ success: false, result: { outcome } });
    expect(error).toContain(sentence);
  });
});

describe('a server that shuts down', () => {
  it('ends every session and waits until nothing of them remains', async () => {
    const { session, service, runtime, log } = openService({ script });
    await Promise.all([session(), session(), session()]);
    await service.close();
    expect(runtime.open).toEqual([]);
    expect(log.named('session closed').map(({ reason }) => reason)).toEqual(Array(3).fill('shutdown'));
  });

  it('is not kept from it by a sandbox that does not close', async () => {
    const { session, service, runtime } = openService({ script });
    await session();
    await session();
    runtime.sandboxes[0]!.beforeClose = async () => {
      throw new Error('stuck');
    };
    await service.close();
    expect(runtime.sandboxes[1]?.closed).toBe(true);
  });
});
