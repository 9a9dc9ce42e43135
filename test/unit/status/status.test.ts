import { describe, expect, it } from 'vitest';
import type { StatusEvent } from '../../../src/schemas/status-events.ts';
import type { StatusMessage } from '../../../src/service/service.ts';
import { pass, settle, standStill } from '../support/clock.ts';
import { AVAILABLE } from '../support/memory-runtime.ts';
import { type OpenService, openService } from '../support/open-service.ts';
import { byName, ends, runsOn } from '../support/scripts.ts';

standStill();

const script = byName({ true: ends(), sleep: runsOn, python3: ends({ code: 3 }) });
const shell = (commandName: string, more: object = {}) => ({ type: 'execute_shell', commandName, ...more });

/** A reader of events, and all that it was told. */
class Reader {
  readonly ids: (string | null)[] = [];
  readonly events: StatusEvent[] = [];
  readonly #gone = new AbortController();

  static async open(
    { service, call }: OpenService,
    {
      subscribe = ['*'],
      sessionId = undefined as string | undefined,
      owner = null as string | null,
      after = '',
    } = {},
  ): Promise<Reader> {
    const reader = new Reader();
    const signal = reader.#gone.signal;
    const who = call({ owner, signal, client: owner ?? 'client' });
    const stream = await service.status.follow({ subscribe, sessionId }, who, after || undefined);
    void reader.#read(stream);
    return reader;
  }

  async #read(stream: AsyncIterable<StatusMessage>): Promise<void> {
    for await (const { id, event } of stream) {
      this.ids.push(id);
      this.events.push(event);
    }
  }

  get names(): string[] {
    return this.events.map(({ method, params }) =>
      'state' in params ? `${method} ${params.state}` : method,
    );
  }

  leave(): void {
    this.#gone.abort();
  }
}

describe('what happens', () => {
  it('is told of a session from its beginning to its end', async () => {
    const all = openService({ script });
    const reader = await Reader.open(all);
    const session = await all.session();
    await session.execute(shell('true', { id: 'mine' }));
    await session.execute({ type: 'write_file', path: 'a', content: '' });
    await session.close();
    await settle();
    expect(reader.names).toEqual([
      'session.created',
      ...['execution.started', 'execution.completed', 'session.state Idle'],
      ...['session.state Active', 'execution.started', 'execution.completed', 'session.state Idle'],
      ...['session.state Closing', 'session.state Closed', 'session.closed'],
    ]);
    const at = '2026-01-01T00:00:00.000Z';
    expect(reader.events[0]!.params).toEqual({
      sessionId: session.id,
      language: 'python',
      runtimeType: 'Python',
      at,
    });
    expect(reader.events[2]!.params).toEqual({
      executionId: expect.any(String),
      sessionId: session.id,
      commandId: 'mine',
      status: 'completed',
      exitCode: 0,
      outcome: 'ok',
      at,
    });
    expect(reader.events.at(-1)!.params).toEqual({ sessionId: session.id, reason: 'client', at });
  });

  it('is told of a one-shot, and of a batch how far it is', async () => {
    const all = openService({ script });
    const reader = await Reader.open(all, { subscribe: ['execution.*'] });
    const { executionId } = await all.run();
    const session = await all.session();
    const batch = {
      commands: [1, 2].map(
        () => ({ type: 'execute_shell', id: undefined, params: { commandName: 'true' }, at: '' }) as const,
      ),
      parallel: false,
      stopOnError: true,
      transactional: false,
    };
    await all.service.sessions.runCommands({ sessionId: session.id }, batch, all.call());
    await settle();
    const [, ended] = reader.events;
    expect(ended!.params).toMatchObject({
      executionId,
      sessionId: null,
      commandId: null,
      exitCode: 3,
      status: 'failed',
    });
    const steps = reader.events.flatMap(({ params }) =>
      'step' in params ? [`${params.step}/${params.total}`] : [],
    );
    expect(steps).toEqual(['1/2', '2/2']);
  });

  it('is told of runtimes while somebody wants to know', async () => {
    const all = openService({ script });
    const reader = await Reader.open(all, { subscribe: ['runtime.state'] });
    all.runtime.state = { available: false, reason: 'it is gone', remedy: null, version: null };
    await pass(50);
    all.runtime.state = AVAILABLE;
    await pass(50);
    expect(reader.events.map(({ params }) => params)).toMatchObject([
      { runtimeType: 'Python', available: false, reason: 'it is gone' },
      { runtimeType: 'Python', available: true, reason: null },
    ]);
    reader.leave();
    all.runtime.state = { available: false, reason: 'again', remedy: null, version: null };
    await pass(50);
    expect(reader.events).toHaveLength(2);
  });

  it('is told of one session alone to who asks for that', async () => {
    const all = openService({ script });
    const [mine, other] = [await all.session(), await all.session()];
    const reader = await Reader.open(all, { sessionId: mine.id });
    await all.run();
    await other.execute(shell('true'));
    await mine.close();
    await settle();
    expect(reader.names).toEqual(['session.state Closing', 'session.state Closed', 'session.closed']);
  });

  it('is told to its owner and to nobody else', async () => {
    const all = openService({ script });
    const [a, b, nobody] = [
      await Reader.open(all, { owner: 'a' }),
      await Reader.open(all, { owner: 'b' }),
      await Reader.open(all),
    ];
    const session = await all.session({}, { owner: 'a' });
    await session.execute(shell('true'));
    await all.run({}, { owner: 'a' });
    await settle();
    expect(a.events.length).toBeGreaterThan(4);
    expect([b.events, nobody.events]).toEqual([[], []]);
    const foreign = Reader.open(all, { owner: 'b', sessionId: session.id });
    await expect(foreign).rejects.toMatchObject({ code: 'SESSION_NOT_FOUND' });
  });

  it('holds nobody up: a slow reader loses the oldest and is told how many', async () => {
    const all = openService({ script });
    const { service, call } = all;
    const messages = await service.status.follow({ subscribe: ['execution.completed'] }, call());
    const session = await all.session();
    for (let i = 0; i < 1003; i++) await session.execute({ type: 'create_directory', path: `d${i}` });
    const iterator = messages[Symbol.asyncIterator]();
    const first = (await iterator.next()).value as StatusMessage;
    expect(first).toEqual({ id: null, event: { method: 'events.dropped', params: { count: 3 } } });
    const names = new Set<string>();
    for (let i = 0; i < 1000; i++) names.add(((await iterator.next()).value as StatusMessage).id!);
    expect(names.size).toBe(1000);
  });

  it('is told to who comes back from where it was, or how much is lost', async () => {
    const all = openService({ script });
    const session = await all.session();
    const reader = await Reader.open(all, { subscribe: ['execution.*'] });
    await session.execute(shell('true'));
    await settle();
    reader.leave();
    const after = reader.ids.at(-1)!;
    await session.execute(shell('true'));
    const second = await Reader.open(all, { subscribe: ['execution.*'], after });
    await settle();
    expect(second.names).toEqual(['execution.started', 'execution.completed']);
    second.leave();

    for (let i = 0; i < 600; i++) await session.execute({ type: 'create_directory', path: `d${i}` });
    const third = await Reader.open(all, { subscribe: ['session.closed'], after });
    await settle();
    // Of all that happened the last thousand are kept.
    const [dropped] = third.events;
    expect(dropped!.method).toBe('events.dropped');
    expect((dropped!.params as { count: number }).count).toBeGreaterThan(1000);
    third.leave();

    await pass(61_000);
    await session.execute(shell('true'));
    const late = await Reader.open(all, { after });
    await settle();
    expect(late.events).toEqual([{ method: 'events.dropped', params: { count: null } }]);
  });

  it.each([
    [['session.created', 'nothing'], 'subscribe[1]'],
    [['session'], 'subscribe[0]'],
    [['session.cre*'], 'subscribe[0]'],
    [[''], 'subscribe[0]'],
  ])('is not told by the patterns %j', async (subscribe, field) => {
    const opened = Reader.open(openService(), { subscribe });
    await expect(opened).rejects.toMatchObject({ code: 'VALIDATION_ERROR', field });
  });

  it('has so many readers of one client at once', async () => {
    const all = openService();
    const readers: Reader[] = [];
    for (let i = 0; i < 256; i++) readers.push(await Reader.open(all));
    await expect(Reader.open(all)).rejects.toMatchObject({ code: 'QUEUE_FULL' });
    readers[0]!.leave();
    await Reader.open(all);
  });
});
