import { describe, expect, it } from 'vitest';
import { ServiceError } from '../../../src/errors.ts';
import { type Interceptor, intercept } from '../../../src/service/interceptors/interceptor.ts';
import type { Service } from '../../../src/service/service.ts';
import { pass, settle, standStill } from '../support/clock.ts';
import { metrics, openService } from '../support/open-service.ts';
import { byName, echo, ends, runsOn } from '../support/scripts.ts';

standStill();

type Samples = { get(): Promise<{ values: { value: number; labels: object; metricName?: string }[] }> };

/** What a counter says for one set of labels. */
async function count(counter: Samples, labels: Record<string, string>, suffix = ''): Promise<number> {
  const { values } = await counter.get();
  return values
    .filter(
      ({ labels: own, metricName = '' }) =>
        metricName.endsWith(suffix) &&
        Object.entries(labels).every(([name, value]) => (own as Record<string, unknown>)[name] === value),
    )
    .reduce((sum, { value }) => sum + value, 0);
}

describe('interceptors', () => {
  const inner = {
    executions: {},
    sessions: { list: async () => ({ count: 0, sessions: [] }) },
    processes: {},
    health: async () => 'well',
  } as unknown as Service;

  it('wrap a call, the first one outermost', async () => {
    const told: string[] = [];
    const named =
      (name: string): Interceptor =>
      async ({ name: operation }, next) => {
        told.push(`${name} ${operation}`);
        const result = await next();
        told.push(`${name} done`);
        return result;
      };
    const { call } = openService();
    await intercept(inner, [named('a'), named('b')]).sessions.list({}, call());
    expect(told).toEqual(['a sessions.list', 'b sessions.list', 'b done', 'a done']);
  });

  it('reach the service at once, so that order is kept', () => {
    let reached = false;
    const service = { ...inner, sessions: { list: async () => (reached = true) } } as unknown as Service;
    void intercept(service, [(_, next) => next()]).sessions.list({}, openService().call());
    expect(reached).toBe(true);
  });

  it('may refuse a call before it reaches the service', async () => {
    const refuse: Interceptor = async () => {
      throw new ServiceError('RATE_LIMITED', 'no');
    };
    const { call } = openService();
    await expect(intercept(inner, [refuse]).sessions.list({}, call())).rejects.toMatchObject({
      code: 'RATE_LIMITED',
    });
  });

  it('are not in the way of what is nobody’s call', async () => {
    const never: Interceptor = async () => {
      throw new Error('no');
    };
    expect(await intercept(inner, [never]).health()).toBe('well');
  });

  it('know every operation by its name, and hand its arguments on', async () => {
    const seen: string[] = [];
    const taken: unknown[][] = [];
    const record = new Proxy(
      {},
      {
        get:
          () =>
          async (...args: unknown[]) =>
            void taken.push(args),
      },
    );
    const all = { executions: record, sessions: record, processes: record } as unknown as Service;
    const { executions, sessions, processes } = intercept(all, [
      (operation, next) => {
        seen.push(operation.name);
        expect(operation.call).toBe(call);
        return next();
      },
    ]);
    const call = openService().call();
    const request = { language: 'python', code: 'x' };
    const command = { type: 'list_directory', id: undefined, params: {}, at: '' } as const;
    const asked: [Promise<unknown>, unknown[]][] = [
      [executions.start(request, call, { interactive: true }), [request, call, { interactive: true }]],
      [executions.status('e', call), ['e', call]],
      [executions.wait('e', call), ['e', call]],
      [executions.cancel('e', call), ['e', call]],
      [executions.events('e', call, 7), ['e', call, 7]],
      [sessions.create({ language: 'python' }, call, {}), [{ language: 'python' }, call, {}]],
      [sessions.get('s', call), ['s', call]],
      [sessions.list({ limit: 7 }, call), [{ limit: 7 }, call]],
      [sessions.keepAlive('s', call), ['s', call]],
      [sessions.usage('s', call), ['s', call]],
      [sessions.setEnd('s', { afterMs: 1 }, call), ['s', { afterMs: 1 }, call]],
      [sessions.close('s', call), ['s', call]],
      [sessions.execute('s', command, call, { stream: true }), ['s', command, call, { stream: true }]],
      [sessions.events('s', call, null), ['s', call, null]],
      [sessions.commandEvents('s', 'e', call, 0), ['s', 'e', call, 0]],
      [processes.list('s', call), ['s', call]],
      [processes.input({}, Buffer.of(1), true, call), [{}, Buffer.of(1), true, call]],
      [processes.signal({}, 'SIGINT', call), [{}, 'SIGINT', call]],
    ];
    await Promise.all(asked.map(([answer]) => answer));
    expect(taken).toEqual(asked.map(([, args]) => args));
    expect(seen).toEqual([
      ...['start', 'status', 'wait', 'cancel', 'events'].map(name => `executions.${name}`),
      ...[
        'create',
        'get',
        'list',
        'keepAlive',
        'usage',
        'setEnd',
        'close',
        'execute',
        'events',
        'commandEvents',
      ].map(name => `sessions.${name}`),
      ...['list', 'input', 'signal'].map(name => `processes.${name}`),
    ]);
  });
});

describe('the log of calls', () => {
  it('has a line of each that is answered, and how long it took', async () => {
    const { session, log, service, call } = openService({ script: runsOn });
    const { shell } = await session();
    const running = shell('sleep', { timeout: 2 });
    await pass(2000);
    await running;
    await service.sessions.list({}, call());
    expect(log.named('answered')).toMatchObject([
      { level: 'debug', operation: 'sessions.create', tookMs: 0 },
      { level: 'debug', operation: 'sessions.execute', tookMs: 2000 },
      { level: 'debug', operation: 'sessions.list' },
    ]);
  });

  it('has what a client did wrong at debug, with the reason', async () => {
    const { service, call, log } = openService();
    await service.sessions.get('nobody', call()).catch(() => {});
    expect(log.named('refused')).toEqual([
      {
        level: 'debug',
        message: 'refused',
        operation: 'sessions.get',
        tookMs: 0,
        code: 'SESSION_NOT_FOUND',
        reason: 'Session not found: nobody',
      },
    ]);
  });

  it.each([
    ['TOO_MANY_SESSIONS', { settings: { maxSessions: 1 } }],
    [
      'RUNTIME_UNAVAILABLE',
      { state: { available: false, reason: 'no', remedy: null, version: null } as const },
    ],
  ])('has what fails for our own reasons at info: %s', async (code, options) => {
    const { session, log } = openService(options);
    await session().catch(() => {});
    await session().catch(() => {});
    expect(log.named('refused').at(-1)).toMatchObject({ level: 'info', code });
  });

  it('has a bug as failed, without what it says', async () => {
    const { session, log, runtime } = openService();
    const { execute } = await session();
    runtime.last.files.refusal = new TypeError('secret');
    await execute({ type: 'list_directory' }).catch(() => {});
    expect(log.named('failed')).toEqual([
      { level: 'debug', message: 'failed', operation: 'sessions.execute', tookMs: 0 },
    ]);
  });
});

describe('the story of a run', () => {
  const words = ['admitted', 'placed', 'started', 'ended', 'closed'];

  it('is told in five lines by a one-shot, each with its id', async () => {
    const { run, log, runtime } = openService({ script: ends({ code: 3 }) });
    const { executionId } = await run();
    await settle();
    const story = log.lines.filter(line => line.executionId === executionId && words.includes(line.message));
    expect(story).toEqual([
      { level: 'debug', message: 'admitted', executionId, waitedMs: 0 },
      {
        level: 'debug',
        message: 'placed',
        executionId,
        language: 'python',
        runtimeType: 'Python',
        sandbox: runtime.last.id,
      },
      { level: 'debug', message: 'started', executionId },
      { level: 'debug', message: 'ended', executionId, outcome: 'nonzero_exit', exitCode: 3, durationMs: 0 },
      { level: 'debug', message: 'closed', executionId },
    ]);
  });

  it('says how long a one-shot waited for its place', async () => {
    const { start, log } = openService({ script: runsOn, settings: { maxConcurrency: 1 } });
    await start({ config: { timeout: 3 } });
    await start();
    await pass(3000);
    expect(log.named('admitted').map(({ waitedMs }) => waitedMs)).toEqual([0, 3000]);
  });

  it('of one that is cancelled while it waits has no line of a place', async () => {
    const { start, log, service, call } = openService({ script: runsOn, settings: { maxConcurrency: 1 } });
    await start();
    const executionId = await start();
    await service.executions.cancel(executionId, call());
    await settle();
    const story = log.lines.filter(line => line.executionId === executionId).map(line => line.message);
    expect(story.filter(word => words.includes(word))).toEqual(['ended', 'closed']);
  });

  it('of a cell is told by its command', async () => {
    const { session, log } = openService({ script: echo });
    const { cell, id } = await session();
    await cell('x', { id: 'mine' });
    const taken = log.named('taken')[0];
    expect(taken).toMatchObject({ sessionId: id, commandId: 'mine', command: 'execute_code' });
    const story = log.lines.filter(line => line.executionId === taken?.executionId);
    expect(story.map(({ message }) => message)).toEqual(['taken', 'admitted', 'started', 'ended']);
    expect(story.at(-1)).toMatchObject({ status: 'completed', outcome: 'ok' });
  });
});

describe('what is counted', () => {
  it.each([
    [
      'ok',
      'sessions.list',
      async ({ service, call }: ReturnType<typeof openService>) => service.sessions.list({}, call()),
    ],
    [
      'SESSION_NOT_FOUND',
      'sessions.close',
      async ({ service, call }: ReturnType<typeof openService>) => service.sessions.close('nobody', call()),
    ],
    [
      'UNSUPPORTED_LANGUAGE',
      'executions.start',
      async ({ start }: ReturnType<typeof openService>) => start({ language: 'cobol' }),
    ],
    [
      'INTERNAL_ERROR',
      'executions.start',
      async ({ start, store }: ReturnType<typeof openService>) => {
        store.beforeInsert = async () => {
          throw new TypeError('a bug');
        };
        await start();
      },
    ],
  ])('is a call that ends in %s', async (code, operation, act) => {
    const labels = { operation, code };
    const before = await count(metrics.calls, labels);
    await act(openService()).catch(() => {});
    expect(await count(metrics.calls, labels)).toBe(before + 1);
  });

  it.each([
    ['a one-shot', async ({ run }: ReturnType<typeof openService>) => run()],
    ['a cell', async ({ session }: ReturnType<typeof openService>) => (await session()).cell('x')],
    ['a program', async ({ session }: ReturnType<typeof openService>) => (await session()).shell('x')],
  ])('is each run by its outcome: %s', async (_what, act) => {
    const labels = { language: 'python', runtime: 'Python', outcome: 'ok' };
    const before = await count(metrics.runs, labels);
    await act(openService({ script: byName({ kernel: echo, other: ends() }) }));
    await settle();
    expect(await count(metrics.runs, labels)).toBe(before + 1);
  });

  it('is no run for a command on files', async () => {
    const before = await count(metrics.runs, {});
    await (await openService().session()).execute({ type: 'list_directory' });
    expect(await count(metrics.runs, {})).toBe(before);
  });

  it('is how long runs wait and last', async () => {
    const total = async (histogram: Samples) => count(histogram, {}, '_sum');
    const [waited, lasted] = [await total(metrics.queueWait), await total(metrics.runSeconds)];
    const { start } = openService({ script: runsOn, settings: { maxConcurrency: 1 } });
    await start({ config: { timeout: 3 } });
    await start({ config: { timeout: 2 } });
    await pass(3000);
    await pass(2000);
    expect((await total(metrics.queueWait)) - waited).toBeCloseTo(3);
    expect((await total(metrics.runSeconds)) - lasted).toBeCloseTo(5);
  });

  it.each(['client', 'shutdown', 'lost'])('is a session that ends, by why: %s', async reason => {
    const before = await count(metrics.sessionsClosed, { reason });
    const { session, service, runtime } = openService();
    const { close } = await session();
    if (reason === 'client') await close();
    else if (reason === 'shutdown') await service.close();
    else runtime.last.lose();
    await settle();
    expect(await count(metrics.sessionsClosed, { reason })).toBe(before + 1);
  });
});

describe('sandboxes that could not be started', () => {
  it('are none of any runtime at the start, and shown as that', async () => {
    openService();
    const { values } = await (metrics.failedStarts as Samples).get();
    expect(values).toContainEqual({ value: 0, labels: { runtime: 'Python', reason: 'filters' } });
    expect(values).toContainEqual({ value: 0, labels: { runtime: 'Python', reason: 'other' } });
  });
});
