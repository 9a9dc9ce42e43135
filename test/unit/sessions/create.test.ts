import { describe, expect, it } from 'vitest';
import { ServiceError } from '../../../src/errors.ts';
import { settle, standStill } from '../support/clock.ts';
import { metrics, openService } from '../support/open-service.ts';

standStill();

const MB = 1024 * 1024;

/** What a counter says for one set of labels. */
async function count(
  counter: { get(): Promise<{ values: { value: number; labels: object }[] }> },
  labels: Record<string, string>,
): Promise<number> {
  const { values } = await counter.get();
  return values.find(({ labels: own }) => expect.objectContaining(labels).asymmetricMatch(own))?.value ?? 0;
}

describe('a new session', () => {
  it('has every default in its place', async () => {
    const { session } = openService();
    const { info } = await session();
    expect(await info()).toMatchObject({
      language: 'python',
      runtimeType: 'Python',
      state: 'Active',
      executionCount: 0,
      idleMinutes: 0,
      lifetimeMinutes: 0,
      createdAt: '2026-01-01T00:00:00.000Z',
      config: {
        runtimePreference: 'Balanced',
        idleTimeoutMinutes: 30,
        maxLifetimeMinutes: 120,
        memoryLimitMB: 512,
        cpuShares: 1024,
        persistFilesystem: true,
        environment: {},
        metadata: {},
        networkEnabled: false,
      },
    });
  });

  it('keeps what the client asked for, and gives its metadata back', async () => {
    const { session } = openService();
    const { info } = await session({ memoryLimitMB: 64, metadata: { a: [1] }, runtimePreference: 'Speed' });
    expect((await info()).config).toMatchObject({
      memoryLimitMB: 64,
      metadata: { a: [1] },
      runtimePreference: 'Speed',
    });
  });

  it('gets a sandbox of its own, with its limits, for cells', async () => {
    const { session, runtime } = openService();
    await session({ memoryLimitMB: 64, cpuShares: 512 });
    await session();
    expect(runtime.specs[0]).toMatchObject({
      purpose: 'session',
      limits: { memoryBytes: 64 * MB, diskBytes: 32 * MB, cpus: 0.5 },
      request: {},
    });
    expect(new Set(runtime.sandboxes.map(({ id }) => id)).size).toBe(2);
  });

  it('names its sandbox twice, for old clients too', async () => {
    const { session, runtime } = openService();
    const { info } = await session();
    const { id } = runtime.last;
    expect(await info()).toMatchObject({ environmentId: id, containerId: id });
  });

  it('takes no more memory by default than the server gives', async () => {
    const { session, runtime } = openService({ settings: { maxMemoryMB: 100 } });
    await session();
    expect(runtime.specs[0]?.limits.memoryBytes).toBe(100 * MB);
  });

  it('waits until the runtimes have been tried', async () => {
    const started = Promise.withResolvers<void>();
    const { session, runtime } = openService({ started: started.promise });
    const opening = session();
    await settle();
    expect(runtime.specs).toEqual([]);
    started.resolve();
    await opening;
    expect(runtime.specs).toHaveLength(1);
  });

  it('is counted and logged', async () => {
    const { session, log, runtime } = openService();
    const labels = { language: 'python', runtime: 'Python' };
    const before = await count(metrics.sessionsCreated, labels);
    const { id } = await session();
    expect(await count(metrics.sessionsCreated, labels)).toBe(before + 1);
    expect(log.named('session created')).toEqual([
      {
        level: 'info',
        message: 'session created',
        sessionId: id,
        sandbox: runtime.last.id,
        ...labels,
      },
    ]);
  });
});

describe('a session is refused', () => {
  it.each([
    ['a language nobody knows', { language: 'cobol' }, 'UNSUPPORTED_LANGUAGE', 'language'],
    ['more memory than the server gives', { memoryLimitMB: 4096 }, 'VALIDATION_ERROR', 'memoryLimitMB'],
    ['a network', { networkEnabled: true }, 'NOT_SUPPORTED', 'networkEnabled'],
    ['long metadata', { metadata: { a: 'x'.repeat(65_536) } }, 'VALIDATION_ERROR', 'metadata'],
    [
      'metadata of very many values',
      { metadata: { a: Array.from({ length: 10_000 }, () => 1) } },
      'VALIDATION_ERROR',
      'metadata',
    ],
    ['a long environment', { environment: { A: 'x'.repeat(1_048_576) } }, 'VALIDATION_ERROR', 'environment'],
    ['a runtime nobody knows', { runtimeType: 'Abacus' }, 'VALIDATION_ERROR', 'runtimeType'],
    ['an image where nothing runs one', { dockerImage: 'a' }, 'NOT_SUPPORTED', 'dockerImage'],
    ['permissions where nothing has them', { permissions: {} }, 'NOT_SUPPORTED', 'permissions'],
  ])('that asks for %s, naming the field', async (_what, config, code, field) => {
    const { session, runtime } = openService();
    await expect(session(config)).rejects.toMatchObject({ code, field });
    expect(runtime.specs).toEqual([]);
  });

  it('beyond the most that may be open, until one is closed', async () => {
    const { session } = openService({ settings: { maxSessions: 2 } });
    const first = await session();
    await session();
    await expect(session()).rejects.toMatchObject({ code: 'TOO_MANY_SESSIONS', retryAfter: 1 });
    await first.close();
    await session();
  });

  it('while those that are being made are as many as may be open', async () => {
    const { session, runtime } = openService({ settings: { maxSessions: 1 } });
    const made = Promise.withResolvers<void>();
    runtime.beforeCreate = () => made.promise;
    const first = session();
    await settle();
    await expect(session()).rejects.toMatchObject({ code: 'TOO_MANY_SESSIONS' });
    made.resolve();
    await first;
  });

  it('with what its runtime says, and leaves its place to another', async () => {
    const { session, runtime, service } = openService({ settings: { maxSessions: 1 } });
    runtime.beforeCreate = async () => {
      throw new ServiceError('RUNTIME_UNAVAILABLE', 'Python: no sandbox could be made');
    };
    await expect(session()).rejects.toMatchObject({ code: 'RUNTIME_UNAVAILABLE' });
    runtime.beforeCreate = async () => {};
    await session();
    expect((await service.health()).sessions).toBe(1);
  });

  it('when nobody waits for it any more, and its sandbox goes', async () => {
    const { session, runtime, service } = openService();
    const made = Promise.withResolvers<void>();
    runtime.beforeCreate = () => made.promise;
    const gone = new AbortController();
    const opening = session({}, { signal: gone.signal });
    await settle();
    gone.abort();
    made.resolve();
    await expect(opening).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(runtime.open).toEqual([]);
    expect((await service.health()).sessions).toBe(0);
  });

  it('when the server shuts down while it is made, and its sandbox goes', async () => {
    const { session, runtime, service } = openService();
    const made = Promise.withResolvers<void>();
    runtime.beforeCreate = () => made.promise;
    const opening = session();
    await settle();
    await service.close();
    made.resolve();
    await expect(opening).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
    expect(runtime.open).toEqual([]);
  });

  it('once the server shuts down', async () => {
    const { session, service } = openService();
    await service.close();
    await expect(session()).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
  });
});
