import { describe, expect, test } from 'vitest';
import { openDoor, until } from './door.ts';
import { log, scripted } from './service-double.ts';

async function withSession() {
  const door = openDoor();
  const { result } = await door.ask('session.create', { language: 'python' });
  const { sessionId } = result;
  let id = 1000;
  /** Sends without waiting, as a client that pipelines does. */
  const pipeline = (command: object, more: object = {}) => {
    const mine = ++id;
    const done = door.send({
      jsonrpc: '2.0',
      id: mine,
      method: 'session.execute',
      params: { sessionId, command: scripted(command), ...more },
    });
    return { id: mine, done, answer: () => door.received.find(message => message.id === mine) };
  };
  return { ...door, sessionId, pipeline };
}

describe('commands of one connection to one session', () => {
  test('run in the order sent', async () => {
    const { service, pipeline } = await withSession();
    const calls = [{ id: 'a', waitFor: 'a' }, { id: 'b', waitFor: 'b' }, { id: 'c' }].map(c => pipeline(c));
    expect(service.begun).toMatchObject([]);
    await until(() => service.begun.length === 1);
    service.open('b');
    await new Promise(resolve => setTimeout(resolve, 20));
    expect(service.begun).toMatchObject([{ id: 'a' }]);
    service.open('a');
    await Promise.all(calls.map(call => call.done));
    expect(service.begun).toMatchObject([{ id: 'a' }, { id: 'b' }, { id: 'c' }]);
  });

  test('in one batch, or one to a line, keep their order too', async () => {
    const { service, sessionId, send } = await withSession();
    const message = (id: string, waitFor?: string) => ({
      jsonrpc: '2.0',
      id,
      method: 'session.execute',
      params: { sessionId, command: scripted({ id, ...(waitFor && { waitFor }) }) },
    });
    const batch = send([message('a', 'go'), message('b')]);
    const lines = send([message('c'), message('d')].map(m => JSON.stringify(m)).join('\n'));
    service.open('go');
    await Promise.all([batch, lines]);
    expect(service.begun).toMatchObject([{ id: 'a' }, { id: 'b' }, { id: 'c' }, { id: 'd' }]);
  });

  test('hold up neither background commands, nor other contexts, nor anything else', async () => {
    const { service, pipeline, ask, sessionId } = await withSession();
    const long = pipeline({ id: 'long', waitFor: 'end' });
    await pipeline({ id: 'beside', background: true }).done;
    await pipeline({ id: 'elsewhere', context: 'two' }).done;
    for (const [method, params] of [
      ['ping', {}],
      ['session.get', { sessionId }],
      ['session.list', {}],
      ['session.keepAlive', { sessionId }],
      ['process.input', { sessionId, data: 'x' }],
      ['process.signal', { sessionId, signal: 'SIGINT' }],
      ['language.list', {}],
    ] as const) {
      expect(await ask(method, params)).toHaveProperty('result');
    }
    expect(long.answer()).toBeUndefined();
    service.open('end');
    await long.done;
    expect(long.answer()).toMatchObject({ result: { success: true } });
  });

  test('go on after one that fails', async () => {
    const { pipeline } = await withSession();
    const failing = pipeline({ fail: 'File not found' });
    const next = pipeline({ id: 'next' });
    await Promise.all([failing.done, next.done]);
    expect(failing.answer()).toMatchObject({ result: { success: false } });
    expect(next.answer()).toMatchObject({ result: { success: true, id: 'next' } });
  });

  test('of another connection run beside', async () => {
    const { service, sessionId, pipeline, join } = await withSession();
    const long = pipeline({ waitFor: 'end' });
    const params = { sessionId, command: scripted({ id: 'other' }) };
    await join().receive(JSON.stringify({ jsonrpc: '2.0', id: 'other', method: 'session.execute', params }));
    expect(service.begun).toMatchObject([{ waitFor: 'end' }, { id: 'other' }]);
    service.open('end');
    await long.done;
  });

  test('keep running when the connection closes', async () => {
    const { service, pipeline, connection } = await withSession();
    const calls = [pipeline({ waitFor: 'go' }), pipeline({ id: 'second' })];
    await until(() => service.begun.length === 1);
    connection.close();
    service.open('go');
    await Promise.all(calls.map(call => call.done));
    expect(service.begun).toHaveLength(2);
  });
});

describe('$/cancelRequest', () => {
  test('ends a command that runs, and those behind it go on', async () => {
    const { service, pipeline, ask } = await withSession();
    const running = pipeline({ waitFor: 'never' });
    const behind = pipeline({ id: 'behind' });
    await until(() => service.begun.length === 1);
    expect(await ask('$/cancelRequest', { id: running.id })).toMatchObject({ result: { cancelled: true } });
    await Promise.all([running.done, behind.done]);
    expect(running.answer()).toMatchObject({ error: { code: -32800, data: { code: 'CANCELLED' } } });
    expect(behind.answer()).toMatchObject({ result: { success: true } });
  });

  test('answers at once for a command that waits its turn, and it never runs', async () => {
    const { service, pipeline, ask } = await withSession();
    const running = pipeline({ waitFor: 'end' });
    const waiting = pipeline({ id: 'waiting' });
    const last = pipeline({ id: 'last' });
    await ask('$/cancelRequest', { id: waiting.id });
    await waiting.done;
    expect(waiting.answer()).toMatchObject({ error: { code: -32800 } });
    expect(running.answer()).toBeUndefined();
    expect(last.answer()).toBeUndefined();
    service.open('end');
    await Promise.all([running.done, last.done]);
    expect(service.begun).toMatchObject([{ waitFor: 'end' }, { id: 'last' }]);
  });

  test('of nothing in flight is no error, and as a notification has no answer', async () => {
    const { ask, send, received } = await withSession();
    expect(await ask('$/cancelRequest', { id: 'gone' })).toMatchObject({ result: { cancelled: false } });
    const before = received.length;
    await send({ jsonrpc: '2.0', method: '$/cancelRequest', params: { id: 99 } });
    expect(received).toHaveLength(before);
  });

  test('ends a run before its answer says so', async () => {
    const door = openDoor();
    const run = door.send({
      jsonrpc: '2.0',
      id: 'run',
      method: 'execution.run',
      params: { code: '{"waitFor":"never"}', language: 'python', stream: true },
    });
    await until(() => door.notifications().length === 1);
    const { executionId } = door.notifications()[0].params;
    await door.send({ jsonrpc: '2.0', method: '$/cancelRequest', params: { id: 'run' } });
    await run;
    expect(door.received.at(-1)).toMatchObject({ id: 'run', error: { code: -32800 } });
    expect(await door.ask('execution.status', { executionId })).toMatchObject({
      result: { status: 'cancelled' },
    });
  });
});

describe('a connection that closes', () => {
  test('ends the execution.run calls it made', async () => {
    const door = openDoor();
    const params = { code: '{"waitFor":"never"}', language: 'python', stream: true };
    const run = door.send({ jsonrpc: '2.0', id: 'run', method: 'execution.run', params });
    await until(() => door.notifications().length === 1);
    const { executionId } = door.notifications()[0].params;
    door.connection.close();
    await run;
    const { signal } = new AbortController();
    const call = { id: '1', owner: null, client: 'test', lane: null, signal, log };
    expect(await door.service.executions.status(executionId, call)).toMatchObject({ status: 'cancelled' });
  });
});

describe('fs.* without a session', () => {
  test('mean the one this connection created last, also while it is being created', async () => {
    const { send, service, received } = openDoor();
    const written: string[] = [];
    const execute = service.sessions.execute;
    service.sessions.execute = (session, command, call) => {
      written.push(session);
      return execute(session, command, call);
    };
    const write = (id: string, path: string) => ({
      jsonrpc: '2.0',
      id,
      method: 'fs.writeFile',
      params: { path, content: '', mode: 'Overwrite' },
    });
    const create = (id: string, language: string) => ({
      jsonrpc: '2.0',
      id,
      method: 'session.create',
      params: { language },
    });
    const sent = [
      send(create('one', 'slow')),
      send(write('w1', 'a')),
      send(create('two', 'python')),
      send(write('w2', 'b')),
      send(create('none', 'broken')),
      send(write('w3', 'c')),
    ];
    service.open('create');
    await Promise.all(sent);
    const answer = (id: string) => received.find(message => message.id === id);
    expect(answer('w1')).toMatchObject({ result: { type: 'write_file', path: 'a', mode: 'Create' } });
    expect(answer('w3')).toMatchObject({ result: { path: 'c' } });
    const [one, two] = [answer('one').result.sessionId, answer('two').result.sessionId];
    expect(written.sort()).toEqual([one, two, two].sort());
    expect(answer('none')).toMatchObject({ error: { code: -32603 } });
  });

  test('and without any created are refused', async () => {
    expect(await openDoor().ask('fs.readFile', { path: 'a' })).toMatchObject({
      error: { code: -31014, data: { code: 'SESSION_NOT_FOUND' } },
    });
  });
});
