import { describe, expect, it } from 'vitest';
import { ServiceError } from '../../../src/errors.ts';
import { pass, settle, standStill } from '../support/clock.ts';
import { namesOf, openService, readAll, textOf } from '../support/open-service.ts';
import { ends, prints, runsOn } from '../support/scripts.ts';

standStill();

const noSpace = new ServiceError('STORAGE_UNAVAILABLE', 'no space');

describe('an execution whose id nobody learns before its end', () => {
  it('is stored when it has ended, and only then', async () => {
    const { start, store, service, call } = openService({ script: prints('x') });
    const inserted: string[] = [];
    store.beforeInsert = async ({ status }) => void inserted.push(status.status);
    const id = await start({}, {}, { awaited: true });
    expect(await service.executions.wait(id, call())).toMatchObject({ stdout: 'x' });
    await pass(10_000);
    expect(inserted).toEqual([]);
    expect(await store.get(id)).toMatchObject({ status: { status: 'completed' } });
  });

  it('is stored after a second where it has not ended', async () => {
    const { start, store } = openService({ script: runsOn });
    const id = await start({}, {}, { awaited: true });
    await pass(999);
    expect(await store.get(id)).toBeNull();
    await pass(1);
    expect(await store.get(id)).toMatchObject({ status: { status: 'running' } });
  });

  it('is stored from its beginning on where somebody follows what happens', async () => {
    const { start, store, service, call } = openService({ script: runsOn });
    await service.status.follow({ subscribe: ['execution.started'] }, call());
    const id = await start({}, {}, { awaited: true });
    expect(await store.get(id)).not.toBeNull();
  });

  it('is refused while nothing can be kept', async () => {
    const { start, store } = openService();
    store.problem = 'no space';
    store.beforeInsert = async () => {
      throw noSpace;
    };
    await expect(start({}, {}, { awaited: true })).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
  });

  it('is told its end where it could not be stored on the way', async () => {
    const { start, store, service, call } = openService({ script: runsOn });
    store.beforeInsert = async () => {
      throw noSpace;
    };
    const id = await start({}, {}, { awaited: true });
    await pass(1000);
    expect(await service.executions.cancel(id, call())).toMatchObject({ outcome: 'cancelled' });
  });
});

it('whoever waits for an execution goes on before its sandbox begins to close', async () => {
  const seen: string[] = [];
  const { start, service, call, runtime } = openService({ script: prints('x') });
  runtime.prepare = sandbox => {
    sandbox.beforeClose = async () => void seen.push('closes');
  };
  await service.executions.wait(await start(), call());
  for (let promises = 0; promises < 20; promises++) await null;
  seen.push('answered');
  await settle();
  expect(seen).toEqual(['answered', 'closes']);
});

describe('taking an execution', () => {
  it('answers as soon as it is on disk', async () => {
    const { start, store, service, call } = openService({ script: runsOn });
    const onDisk = Promise.withResolvers<void>();
    store.beforeInsert = () => onDisk.promise;
    let id: string | undefined;
    const starting = start().then(given => (id = given));
    await settle();
    expect(id).toBeUndefined();
    onDisk.resolve();
    await starting;
    expect(await service.executions.status(id!, call())).toMatchObject({
      executionId: id,
      status: 'running',
    });
  });

  it('says when it was taken, and that it is pending', async () => {
    const { service, call } = openService();
    const taken = await service.executions.start({ language: 'python', code: 'x' }, call());
    expect(taken).toMatchObject({ status: 'pending', createdAt: '2026-01-01T00:00:00.000Z' });
  });

  it('is refused when it cannot be kept, and what began of it ends', async () => {
    const { start, store, runtime, service } = openService({ script: runsOn });
    store.beforeInsert = async () => {
      throw noSpace;
    };
    await expect(start()).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    await settle();
    expect(runtime.open).toEqual([]);
    expect((await service.health()).running).toBe(0);
  });

  it('waits until the runtimes have been tried', async () => {
    const started = Promise.withResolvers<void>();
    const { start, runtime } = openService({ started: started.promise });
    const starting = start();
    await settle();
    expect(runtime.specs).toEqual([]);
    started.resolve();
    await starting;
  });

  it('does not end with the call that took it', async () => {
    const { start, service, call } = openService({ script: runsOn });
    const gone = new AbortController();
    const id = await start({}, { signal: gone.signal });
    gone.abort();
    await settle();
    expect(await service.executions.status(id, call())).toMatchObject({ status: 'running' });
  });

  it('is refused when the queue is full, and takes no place in it', async () => {
    const { start, service } = openService({
      script: runsOn,
      settings: { maxConcurrency: 1, maxQueue: 1 },
    });
    await start();
    await start({}, { client: 'other' });
    await expect(start({}, { client: 'third' })).rejects.toMatchObject({ code: 'QUEUE_FULL' });
    expect(await service.health()).toMatchObject({ running: 1, queued: 1 });
  });

  it('is refused when what waits holds too much, until some of it runs', async () => {
    const { start, service, call } = openService({ script: runsOn, settings: { maxConcurrency: 1 } });
    const first = await start();
    // Nobody looks at it: it takes no memory.
    const large = { args: ['x'.repeat(130 * 1024 * 1024)] };
    await start(large);
    await expect(start(large)).rejects.toMatchObject({
      code: 'QUEUE_FULL',
      message: 'Too much is waiting already; try again later',
    });
    await service.executions.cancel(first, call());
    await settle();
    await start(large);
  });
});

describe('the environment of an execution', () => {
  it('counts among what waits', async () => {
    const { start } = openService({ script: runsOn, settings: { maxConcurrency: 1 } });
    const request = { config: { environment: { LARGE: 'x'.repeat(1_000_000) } } };
    const refused = async () => {
      for (let i = 0; i < 400; i++) await start(request);
    };
    await expect(refused()).rejects.toMatchObject({ code: 'QUEUE_FULL' });
  });

  it('is as large as a session’s at most', async () => {
    const { start } = openService({ script: runsOn });
    await expect(
      start({ config: { environment: { LARGE: 'x'.repeat(1024 * 1024) } } }),
    ).rejects.toMatchObject({
      code: 'VALIDATION_ERROR',
      message: expect.stringMatching(/^config\.environment/),
    });
  });
});

describe('an execution that waits for a place', () => {
  it('is pending, and runs when one is free', async () => {
    const { start, service, call } = openService({ script: runsOn, settings: { maxConcurrency: 1 } });
    await start({ config: { timeout: 1 } });
    const id = await start();
    const status = async () => (await service.executions.status(id, call())).status;
    await pass(999);
    expect(await status()).toBe('pending');
    await pass(1);
    expect(await status()).toBe('running');
  });

  it('has its whole time from when it runs', async () => {
    const { start, service, call } = openService({ script: runsOn, settings: { maxConcurrency: 1 } });
    await start({ config: { timeout: 20 } });
    const id = await start({ config: { timeout: 10 } });
    const ended = service.executions.wait(id, call());
    await pass(20_000);
    await pass(10_000);
    expect(await ended).toMatchObject({ status: 'timeout', durationMs: 10_000 });
  });

  it('gets a place only when the sandbox before it is gone', async () => {
    const { start, runtime } = openService({ script: ends(), settings: { maxConcurrency: 1 } });
    const closed = Promise.withResolvers<void>();
    runtime.prepare = sandbox => {
      sandbox.beforeClose = () => closed.promise;
    };
    await start();
    await start();
    await settle();
    expect(runtime.sandboxes).toHaveLength(1);
    closed.resolve();
    await settle();
    expect(runtime.sandboxes).toHaveLength(2);
  });
});

describe('cancelling an execution', () => {
  it('that runs ends its program, and answers with its end', async () => {
    const { start, service, call, runtime } = openService({ script: runsOn });
    const id = await start();
    await pass(10);
    expect(await service.executions.cancel(id, call())).toMatchObject({
      status: 'cancelled',
      outcome: 'cancelled',
      errorType: 'cancelled',
      signal: 'SIGKILL',
      durationMs: 10,
    });
    await settle();
    expect(runtime.open).toEqual([]);
  });

  it('that waits for a place ends it before it begins', async () => {
    const { start, service, call, runtime } = openService({
      script: runsOn,
      settings: { maxConcurrency: 1 },
    });
    await start();
    const id = await start({ outputFiles: ['a'] });
    expect(await service.executions.cancel(id, call())).toMatchObject({
      status: 'cancelled',
      startedAt: null,
      durationMs: 0,
      stderr: '',
      missingFiles: ['a'],
    });
    expect(runtime.sandboxes).toHaveLength(1);
    expect((await service.health()).queued).toBe(0);
  });

  it('whose sandbox is being made ends it without a program that stays', async () => {
    const { start, service, call, runtime } = openService({ script: runsOn });
    const made = Promise.withResolvers<void>();
    runtime.beforeCreate = () => made.promise;
    const id = await start();
    const cancelling = service.executions.cancel(id, call());
    await settle();
    made.resolve();
    expect(await cancelling).toMatchObject({ status: 'cancelled' });
    await settle();
    expect(runtime.open).toEqual([]);
  });

  it('whose sandbox cannot be made meanwhile is cancelled all the same', async () => {
    const { start, service, call, runtime } = openService();
    const made = Promise.withResolvers<void>();
    runtime.beforeCreate = () => made.promise;
    const id = await start();
    const cancelling = service.executions.cancel(id, call());
    made.reject(new Error('no'));
    expect(await cancelling).toMatchObject({ status: 'cancelled', stderr: '' });
  });

  it('that has ended changes nothing', async () => {
    const { start, service, call, run } = openService({ script: prints('x') });
    const { executionId } = await run();
    expect(await service.executions.cancel(executionId, call())).toMatchObject({
      status: 'completed',
      stdout: 'x',
    });
    await expect(service.executions.cancel('nobody', call())).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await start();
  });

  it('twice at once answers twice', async () => {
    const { start, service, call } = openService({ script: runsOn });
    const id = await start();
    const both = await Promise.all([
      service.executions.cancel(id, call()),
      service.executions.cancel(id, call()),
    ]);
    expect(both.map(({ status }) => status)).toEqual(['cancelled', 'cancelled']);
  });
});

describe('waiting for an execution', () => {
  it('lasts until its end is on disk', async () => {
    const { start, store, service, call } = openService({ script: ends() });
    const onDisk = Promise.withResolvers<void>();
    store.beforeFinish = () => onDisk.promise;
    const id = await start();
    let done = false;
    const waiting = service.executions.wait(id, call()).then(status => {
      done = true;
      return status;
    });
    await settle();
    expect([done, (await service.executions.status(id, call())).status]).toEqual([false, 'running']);
    onDisk.resolve();
    expect((await waiting).status).toBe('completed');
  });

  it('does not last until its sandbox is gone', async () => {
    const { run, runtime } = openService();
    runtime.prepare = sandbox => {
      sandbox.beforeClose = () => new Promise(() => {});
    };
    expect(await run()).toMatchObject({ status: 'completed' });
  });

  it('ends when the caller goes away, and the run goes on', async () => {
    const { start, service, call } = openService({ script: runsOn });
    const id = await start();
    const gone = new AbortController();
    const waiting = service.executions.wait(id, call({ signal: gone.signal }));
    gone.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'CANCELLED' });
    await expect(service.executions.wait(id, call({ signal: gone.signal }))).rejects.toMatchObject({
      code: 'CANCELLED',
    });
    expect(await service.executions.status(id, call())).toMatchObject({ status: 'running' });
  });

  it('for one that has ended is answered from disk', async () => {
    const { run, service, call } = openService({ script: prints('x') });
    const { executionId } = await run();
    expect(await service.executions.wait(executionId, call())).toMatchObject({ stdout: 'x' });
  });

  it.each(['status', 'wait', 'cancel'] as const)('for nobody’s: %s says that it is not there', async verb => {
    const { service, call } = openService();
    await expect(service.executions[verb]('nobody', call())).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('a result that cannot be kept', () => {
  it('is told to who waits all the same, and logged', async () => {
    const { start, store, service, call, log } = openService({ script: prints('x') });
    store.beforeFinish = async () => {
      throw noSpace;
    };
    const id = await start();
    expect(await service.executions.wait(id, call())).toMatchObject({ status: 'completed', stdout: 'x' });
    expect(log.named('a result could not be kept')).toMatchObject([
      { level: 'error', execution: id, err: noSpace },
    ]);
  });

  it('is pending on disk afterwards', async () => {
    const { run, store, service, call } = openService();
    store.beforeFinish = async () => {
      throw noSpace;
    };
    const { executionId } = await run();
    await settle();
    expect(await service.executions.status(executionId, call())).toMatchObject({ status: 'pending' });
  });
});

describe('the events of an execution', () => {
  it('come live to who follows it', async () => {
    const { start, service, call } = openService({ script: runsOn });
    const id = await start({ config: { timeout: 1 } });
    const told = readAll(service.executions.events(id, call(), 0));
    await pass(1000);
    const events = await told;
    expect(namesOf(events)).toEqual(['started', 'completed']);
    expect(events.at(-1)?.params).toEqual({
      executionId: id,
      sessionId: null,
      commandId: null,
      seq: 2,
      status: 'timeout',
      exitCode: null,
    });
  });

  it('come from disk to who is late, the same ones', async () => {
    const { start, service, call } = openService({
      script: async (_, { print }) => {
        await print('a');
        await print('b', 'stderr');
        return { code: 2 };
      },
    });
    const id = await start();
    const live = await readAll(service.executions.events(id, call(), 0));
    await settle();
    const stream = await service.executions.events(id, call(), 0);
    expect(await readAll(stream)).toEqual(live);
    expect([stream.firstAvailable, stream.lastSeq]).toEqual([null, 4]);
  });

  it('come from where the reader left', async () => {
    const { run, service, call } = openService({ script: prints('a') });
    const { executionId } = await run();
    await settle();
    const rest = await readAll(service.executions.events(executionId, call(), 1));
    expect(rest.map(({ params }) => params.seq)).toEqual([2, 3]);
  });

  it('say where they begin when the first are no longer kept', async () => {
    const { run, service, call } = openService({
      script: async (_, { print }) => {
        for (let i = 0; i < 100; i++) await print('x'.repeat(100), i % 2 ? 'stderr' : 'stdout');
        return {};
      },
      settings: { replayBytes: 3000 },
    });
    const { executionId } = await run();
    await settle();
    const stream = await service.executions.events(executionId, call(), 0);
    const [first] = await readAll(stream);
    expect(stream.firstAvailable).toBeGreaterThan(10);
    expect(first?.params.seq).toBe(stream.firstAvailable);
  });

  it('hold the program up for a reader that stands still, until it leaves', async () => {
    const { start, service, call } = openService({
      script: async (_, { print }) => {
        for (let i = 0; i < 20; i++) await print('x'.repeat(50_000));
        return {};
      },
    });
    const gone = new AbortController();
    const id = await start();
    await service.executions.events(id, call({ signal: gone.signal }), 0);
    await settle();
    expect(await service.executions.status(id, call())).toMatchObject({ status: 'running' });
    gone.abort();
    expect(await service.executions.wait(id, call())).toMatchObject({ stdoutBytes: 1_000_000 });
  });

  it('of one whose compiler fails tell what it says', async () => {
    const { run, service, call } = openService({ script: prints('no', { code: 1 }, 'stderr') });
    const { executionId } = await run();
    await settle();
    expect(textOf(await readAll(service.executions.events(executionId, call(), 0)))).toBe('no');
  });

  it('of one that never began are its end', async () => {
    const { run, runtime, service, call } = openService();
    runtime.beforeCreate = async () => {
      throw new Error('no');
    };
    const { executionId } = await run();
    await settle();
    const events = await readAll(service.executions.events(executionId, call(), 0));
    expect(events.at(-1)?.params).toMatchObject({ status: 'failed', exitCode: null });
  });
});

describe('a server that shuts down', () => {
  it('cancels what runs and what waits, and keeps their ends', async () => {
    const { start, service, store, runtime } = openService({
      script: runsOn,
      settings: { maxConcurrency: 1 },
    });
    const ids = [await start(), await start()];
    await service.close();
    for (const id of ids) expect((await store.get(id))?.status.status).toBe('cancelled');
    expect(runtime.open).toEqual([]);
  });

  it('takes no more', async () => {
    const { start, service } = openService();
    await service.close();
    await expect(start()).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
  });

  it('is not over before sandboxes are', async () => {
    const { start, service, runtime } = openService();
    const closed = Promise.withResolvers<void>();
    runtime.prepare = sandbox => {
      sandbox.beforeClose = () => closed.promise;
    };
    await start();
    await settle();
    let over = false;
    const closing = service.close().then(() => (over = true));
    await settle();
    expect(over).toBe(false);
    closed.resolve();
    await closing;
  });

  it('is not kept from it by a sandbox that does not close, which is logged', async () => {
    const { start, service, runtime, log } = openService();
    runtime.prepare = sandbox => {
      sandbox.beforeClose = async () => {
        throw new Error('stuck');
      };
    };
    await start();
    await service.close();
    expect(log.named('a sandbox did not close')).toMatchObject([{ level: 'error', err: new Error('stuck') }]);
    expect((await service.health()).running).toBe(0);
  });
});
