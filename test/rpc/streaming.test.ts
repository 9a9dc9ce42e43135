import { describe, expect, test } from 'vitest';
import { openDoor, until } from './door.ts';
import { scripted } from './service-double.ts';

async function withSession() {
  const door = openDoor();
  const { result } = await door.ask('session.create', { language: 'python' });
  const { sessionId } = result;
  const execute = (command: object, stream = true) =>
    door.ask('session.execute', { sessionId, command: scripted(command), stream });
  const texts = () => door.notifications().flatMap(({ params }) => params.text ?? []);
  const seqs = () => door.notifications().map(({ params }) => params.seq);
  return { ...door, sessionId, execute, texts, seqs };
}

describe('a streaming command', () => {
  test('is answered after all its notifications', async () => {
    const { execute, received } = await withSession();
    await execute({ id: 'c1', print: ['a', 'b'] });
    expect(received.slice(1)).toMatchObject([
      { method: 'execution.started', params: { seq: 1, commandId: 'c1' } },
      { method: 'execution.output', params: { seq: 2, text: 'a' } },
      { method: 'execution.output', params: { seq: 3, text: 'b' } },
      { method: 'execution.completed', params: { seq: 4, exitCode: 0 } },
      { result: { id: 'c1', success: true } },
    ]);
  });

  test('numbers on, and each event comes once', async () => {
    const { execute, seqs } = await withSession();
    await execute({ print: ['a'] });
    await execute({ print: ['b'] }, false);
    await execute({ print: ['c'] });
    expect(seqs()).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('tells another connection nothing unless it is attached', async () => {
    const { service, sessionId, execute } = await withSession();
    const other = openDoor();
    await execute({ print: ['a'] });
    expect(other.received).toEqual([]);
    service.print(sessionId, 'x');
    expect(other.received).toEqual([]);
  });

  test('of a session that is gone is refused', async () => {
    const door = openDoor();
    const params = { sessionId: 'none', command: scripted({}), stream: true };
    expect(await door.ask('session.execute', params)).toMatchObject({
      error: { code: -31014, data: { code: 'SESSION_NOT_FOUND' } },
    });
  });
});

describe('a background command', () => {
  test('tells its end in a notification', async () => {
    const { execute, received, notifications } = await withSession();
    await execute({ id: 'bg', background: true, print: ['x'] }, false);
    await until(() => notifications().length === 3);
    expect(received.filter(message => message.id)).toHaveLength(2);
    expect(notifications().at(-1)).toMatchObject({
      method: 'execution.completed',
      params: { commandId: 'bg' },
    });
  });
});

describe('execution.run with stream', () => {
  test('is answered after its notifications, numbered from 1', async () => {
    const door = openDoor();
    const answer = await door.ask('execution.run', {
      code: '{"print":["a","b"]}',
      language: 'python',
      stream: true,
    });
    expect(answer).toMatchObject({ result: { status: 'completed', stdout: 'ab' } });
    expect(door.notifications().map(({ params }) => params.seq)).toEqual([1, 2, 3, 4]);
    expect(door.received.at(-1)).toBe(answer);
  });
});

describe('session.attach', () => {
  const attach = (connection: { receive(text: string): Promise<void> }, params: object) =>
    connection.receive(JSON.stringify({ jsonrpc: '2.0', id: 'attach', method: 'session.attach', params }));

  test('replays what came after a number, then goes on live', async () => {
    const { sessionId, service, join, received, seqs } = await withSession();
    for (const text of ['a', 'b', 'c']) service.print(sessionId, text);
    await attach(join(), { sessionId, afterSeq: 1 });
    await until(() => seqs().length === 2);
    service.print(sessionId, 'd');
    await until(() => seqs().length === 3);
    expect(received[1]).toMatchObject({
      id: 'attach',
      result: { sessionId, afterSeq: 1, lastSeq: 3, complete: true, firstAvailable: null },
    });
    expect(seqs()).toEqual([2, 3, 4]);
  });

  test('says where it begins when the buffer no longer reaches back', async () => {
    const { sessionId, service, join, received, seqs } = await withSession();
    for (let i = 0; i < 100; i++) service.print(sessionId, `line ${i}`);
    await attach(join(), { sessionId });
    const { result } = received[1];
    expect(result).toMatchObject({ afterSeq: 0, lastSeq: 100, complete: false });
    expect(result.firstAvailable).toBeGreaterThan(1);
    await until(() => seqs().at(-1) === 100);
    expect(seqs()).toEqual(
      Array.from({ length: 101 - result.firstAvailable }, (_, i) => result.firstAvailable + i),
    );
  });

  test('on a connection that streams already brings only what it was never sent', async () => {
    const { sessionId, service, ask, execute, seqs } = await withSession();
    service.print(sessionId, 'before');
    await execute({ print: ['x'] });
    expect(seqs()).toEqual([2, 3, 4]);
    await ask('session.attach', { sessionId, afterSeq: 0 });
    await until(() => seqs().length === 4);
    service.print(sessionId, 'after');
    await until(() => seqs().length === 5);
    expect(seqs()).toEqual([2, 3, 4, 1, 5]);
    await ask('session.attach', { sessionId, afterSeq: 3 });
    await execute({ print: ['y'] });
    expect(seqs()).toEqual([2, 3, 4, 1, 5, 6, 7, 8]);
  });

  test('before a streaming command sends nothing twice, in one batch too', async () => {
    const { sessionId, service, send, seqs } = await withSession();
    service.print(sessionId, 'before');
    const params = { sessionId, command: scripted({ print: ['x'] }), stream: true };
    await send([
      { jsonrpc: '2.0', id: 1, method: 'session.attach', params: { sessionId, afterSeq: 0 } },
      { jsonrpc: '2.0', id: 2, method: 'session.execute', params },
    ]);
    await until(() => seqs().length === 4);
    expect(seqs()).toEqual([1, 2, 3, 4]);
  });

  test('after a number that was never given is refused', async () => {
    const { sessionId, ask, execute, join } = await withSession();
    expect(await ask('session.attach', { sessionId, afterSeq: 7 })).toMatchObject({
      error: { code: -32602, data: { field: 'afterSeq' } },
    });
    // And it leaves no reader behind that would hold up what streams next.
    await attach(join(), { sessionId, afterSeq: 7 });
    expect(await execute({ flood: 10 })).toMatchObject({ result: { success: true } });
  });

  test('ends with the session', async () => {
    const { sessionId, ask, service, notifications } = await withSession();
    await ask('session.attach', { sessionId });
    await ask('session.close', { sessionId });
    service.print(sessionId, 'x');
    expect(await ask('session.attach', { sessionId })).toMatchObject({ error: { code: -31014 } });
    expect(notifications()).toEqual([]);
  });
});

describe('a connection without a socket', () => {
  test('is refused what it could not be sent', async () => {
    const { connection, service } = openDoor({ live: false });
    const ask = async (method: string, params: object) =>
      JSON.parse((await connection.answer(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }))) ?? '');
    const { result } = await ask('session.create', { language: 'python' });
    const { sessionId } = result;
    const refusal = { error: { code: -31042, message: 'stream: needs a WebSocket' } };
    const run = { code: '{}', language: 'python', stream: true };
    expect(await ask('execution.run', run)).toMatchObject(refusal);
    expect(await ask('session.execute', { sessionId, command: scripted({}), stream: true })).toMatchObject(
      refusal,
    );
    expect(await ask('session.attach', { sessionId })).toMatchObject({ error: { code: -31042 } });
    expect(service.begun).toEqual([]);
  });
});

describe('initialize', () => {
  test('tells what this server can do', async () => {
    expect(await openDoor().ask('initialize')).toMatchObject({
      result: {
        protocolVersion: '1.0',
        serverInfo: { name: 'CodeBeaker' },
        serverCapabilities: {
          supportsStreaming: true,
          supportsDebugging: false,
          supportedLanguages: ['python'],
        },
      },
    });
  });

  test('takes an alias for a required language and names one that is missing', async () => {
    const ask = (requiredLanguages: string[]) =>
      openDoor().ask('initialize', { clientCapabilities: { requiredLanguages } });
    expect(await ask(['py'])).toHaveProperty('result');
    expect(await ask(['python', 'cobol'])).toMatchObject({
      error: {
        code: -31022,
        message: expect.stringContaining('cobol'),
        data: { code: 'UNSUPPORTED_LANGUAGE' },
      },
    });
  });

  test('turns notifications off for a client that does not request them', async () => {
    const { ask, execute, notifications, sessionId } = await withSession();
    await ask('initialize', { clientCapabilities: { requestsStreaming: false } });
    expect(await execute({ print: ['a'] })).toMatchObject({ result: { success: true } });
    expect(notifications()).toEqual([]);
    expect(await ask('session.attach', { sessionId })).toMatchObject({
      error: { data: { code: 'NOT_SUPPORTED' } },
    });
    await ask('initialize', { clientCapabilities: { requestsStreaming: true } });
    await execute({ print: ['b'] });
    expect(notifications()).toHaveLength(3);
  });
});

describe('errors', () => {
  test('that are not ours tell nothing, and are logged', async () => {
    const { ask, logged } = openDoor();
    const answer = await ask('session.create', { language: 'broken' });
    expect(answer.error).toEqual({
      code: -32603,
      message: 'Internal error',
      data: { code: 'INTERNAL_ERROR' },
    });
    expect(logged.join()).toContain('secret /path/of/the/host');
  });

  test('of a notification are not answered', async () => {
    const { send, received } = openDoor();
    await send({ jsonrpc: '2.0', method: 'session.get', params: { sessionId: 'none' } });
    await send({ jsonrpc: '2.0', method: 'session.create', params: { language: 'broken' } });
    expect(received).toEqual([]);
  });

  test('of a single command without the wrapper are COMMAND_FAILED', async () => {
    const { ask, service } = openDoor();
    await ask('session.create', { language: 'python' });
    const execute = service.sessions.execute;
    service.sessions.execute = (id, command, call) =>
      execute(
        id,
        { ...command, params: { ...command.params, fail: 'File not found: /workspace/a' } } as never,
        call,
      );
    expect(await ask('fs.readFile', { path: 'a' })).toMatchObject({
      error: { code: -31052, message: 'File not found: /workspace/a', data: { code: 'COMMAND_FAILED' } },
    });
  });
});

describe('process.input', () => {
  test('takes text and base64', async () => {
    const { ask, service } = openDoor();
    await ask('process.input', { executionId: 'e', data: 'é\n' });
    await ask('process.input', {
      sessionId: 's',
      commandId: 'c',
      data: '/w==',
      encoding: 'base64',
      eof: true,
    });
    expect(service.inputs).toEqual([
      { target: { executionId: 'e' }, data: '\xc3\xa9\n', eof: false },
      { target: { sessionId: 's', commandId: 'c' }, data: '\xff', eof: true },
    ]);
  });

  test('refuses what is not base64, and a target that names nothing', async () => {
    const { ask } = openDoor();
    expect(await ask('process.input', { sessionId: 's', data: '*', encoding: 'base64' })).toMatchObject({
      error: { code: -32602, data: { field: 'data' } },
    });
    expect(await ask('process.input', { data: 'x' })).toMatchObject({
      error: { data: { field: 'sessionId' } },
    });
  });
});
