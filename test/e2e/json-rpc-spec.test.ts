import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { http } from '../support/rest-client.ts';
import { RpcClient } from '../support/rpc-client.ts';

/**
 * The examples of section 7 of the JSON-RPC 2.0 specification (https://www.jsonrpc.org/specification). Its `subtract`
 * and `sum` are played by `ping` and `session.list`; where it sends parameters by position, this service, whose
 * parameters go by name, answers -32602, which the specification leaves to a server.
 */
const server = inject('server');
const PONG = { now: expect.any(String) };
const error = (code: number, id: unknown = null) => ({
  jsonrpc: '2.0',
  // The specification's `data` is the server's own: bad parameters name their field there.
  error:
    code === -32602
      ? { code, message: expect.any(String), data: expect.objectContaining({ code: 'VALIDATION_ERROR' }) }
      : { code, message: expect.any(String) },
  id,
});
const pong = (id: unknown) => ({ jsonrpc: '2.0', result: PONG, id });

const EXAMPLES: [string, string, unknown][] = [
  [
    'call with positional parameters',
    '{"jsonrpc": "2.0", "method": "ping", "params": [42, 23], "id": 1}',
    error(-32602, 1),
  ],
  [
    'call with empty positional parameters',
    '{"jsonrpc": "2.0", "method": "ping", "params": [], "id": 2}',
    error(-32602, 2),
  ],
  ['call with named parameters', '{"jsonrpc": "2.0", "method": "ping", "params": {}, "id": 3}', pong(3)],
  [
    'call with named parameters in another order',
    '{"id": 4, "params": {}, "method": "ping", "jsonrpc": "2.0"}',
    pong(4),
  ],
  ['notification', '{"jsonrpc": "2.0", "method": "ping", "params": {}}', undefined],
  ['notification of a method that is not there', '{"jsonrpc": "2.0", "method": "foobar"}', undefined],
  [
    'call of a method that is not there',
    '{"jsonrpc": "2.0", "method": "foobar", "id": "1"}',
    error(-32601, '1'),
  ],
  ['invalid JSON', '{"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz]', error(-32700)],
  ['invalid request', '{"jsonrpc": "2.0", "method": 1, "params": "bar"}', error(-32600)],
  [
    'batch of invalid JSON',
    '[{"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"}, {"jsonrpc": "2.0", "method"]',
    error(-32700),
  ],
  ['empty batch', '[]', error(-32600)],
  ['batch of one invalid request', '[1]', [error(-32600)]],
  ['batch of invalid requests', '[1,2,3]', [error(-32600), error(-32600), error(-32600)]],
  [
    'batch',
    JSON.stringify([
      { jsonrpc: '2.0', method: 'ping', params: {}, id: '1' },
      { jsonrpc: '2.0', method: 'ping', params: {} },
      { jsonrpc: '2.0', method: 'session.list', params: {}, id: '2' },
      { foo: 'boo' },
      { jsonrpc: '2.0', method: 'foo.get', params: { name: 'myself' }, id: '5' },
      { jsonrpc: '2.0', method: 'ping', id: '9' },
    ]),
    [
      pong('1'),
      {
        jsonrpc: '2.0',
        result: { count: expect.any(Number), sessions: expect.any(Array), nextCursor: null },
        id: '2',
      },
      error(-32600),
      error(-32601, '5'),
      pong('9'),
    ],
  ],
  [
    'batch of notifications',
    '[{"jsonrpc": "2.0", "method": "ping", "params": {}}, {"jsonrpc": "2.0", "method": "ping"}]',
    undefined,
  ],
];

const MORE: [string, string, unknown][] = [
  ['batch of null', '[null]', [error(-32600)]],
  ['null', 'null', error(-32600)],
  ['number', '1', error(-32600)],
  ['empty text', '', error(-32700)],
  ['another version', '{"jsonrpc": "1.0", "method": "ping", "id": 1}', error(-32600, 1)],
  ['no version', '{"method": "ping", "id": 1}', error(-32600, 1)],
  ['id that is null', '{"jsonrpc": "2.0", "method": "ping", "id": null}', pong(null)],
  ['id that is a fraction', '{"jsonrpc": "2.0", "method": "ping", "id": 1.5}', pong(1.5)],
  ['id that is an object', '{"jsonrpc": "2.0", "method": "ping", "id": {}}', error(-32600)],
  [
    'parameters that are a number',
    '{"jsonrpc": "2.0", "method": "ping", "params": 1, "id": 1}',
    error(-32600, 1),
  ],
  ['a method of the prototype', '{"jsonrpc": "2.0", "method": "toString", "id": 1}', error(-32601, 1)],
  ['a reserved method', '{"jsonrpc": "2.0", "method": "rpc.nothing", "id": 1}', error(-32601, 1)],
];

describe('over WebSocket', () => {
  let client: RpcClient;
  beforeAll(async () => {
    client = await RpcClient.connect(server.wsUrl);
  });
  afterAll(() => client.close());

  test.for([...EXAMPLES, ...MORE])('%s is answered as the specification says', async ([, sent, answer]) => {
    if (answer === undefined) {
      const before = client.strays.length;
      client.send(sent);
      await client.call('ping');
      await client.call('ping');
      expect(client.strays.slice(before)).toEqual([]);
    } else {
      const unordered = Array.isArray(answer) && answer.length > 1;
      expect(await client.exchange(sent)).toEqual(unordered ? expect.arrayContaining(answer) : answer);
    }
  });

  test('a message whose every line is a JSON text is taken as that many messages', async () => {
    const before = client.strays.length;
    client.send('{"jsonrpc":"2.0","method":"ping","id":"a"}\n{"jsonrpc":"2.0","method":"ping","id":"b"}\n');
    await client.until(() => client.strays.length === before + 2);
    expect(client.strays.slice(before)).toEqual(expect.arrayContaining([pong('a'), pong('b')]));
  });

  test('a message may be pretty-printed over many lines', async () => {
    const pretty = JSON.stringify({ jsonrpc: '2.0', method: 'ping', id: 'p' }, null, 2);
    expect(await client.exchange(pretty)).toEqual(pong('p'));
  });

  test('/ws/control is the same door', async () => {
    const control = await RpcClient.connect(server.wsUrl.replace('/ws/jsonrpc', '/ws/control'));
    expect(await control.call('ping')).toEqual(PONG);
    await control.close();
  });

  test('a message over 32 MiB closes the socket with 1009, and the server lives on', async () => {
    const victim = await RpcClient.connect(server.wsUrl);
    victim.send(`{"jsonrpc":"2.0","method":"ping","id":1,"params":{"x":"${'x'.repeat(33 << 20)}"}}`);
    await victim.until(() => victim.closed !== undefined);
    expect(victim.closed?.code).toBe(1009);
    expect(await client.call('ping')).toEqual(PONG);
  });

  test('an error never shows a stack or a path of the host', async () => {
    const failed = await client.refused('session.execute', { sessionId: 1, command: { type: [] } });
    expect(failed.code).toBe(-32602);
    expect(JSON.stringify([failed.message, failed.data])).not.toMatch(/node_modules|\.ts|at /);
  });
});

describe('over HTTP', () => {
  test.for([...EXAMPLES, ...MORE])('%s is answered as the specification says', async ([, sent, answer]) => {
    const { status, body } = await http(`${server.url}/api/jsonrpc`, 'POST', sent);
    if (answer === undefined) {
      expect(status).toBe(204);
      expect(body).toBe('');
    } else {
      expect(status).toBe(200);
      const unordered = Array.isArray(answer) && answer.length > 1;
      expect(body).toEqual(unordered ? expect.arrayContaining(answer) : answer);
    }
  });
});

test('initialize tells what this machine can do now', async () => {
  const client = await RpcClient.connect(server.wsUrl);
  const { serverCapabilities, serverInfo, protocolVersion } = await client.call('initialize', {
    clientCapabilities: { requestsStreaming: true, requiredLanguages: ['python'] },
  });
  expect(protocolVersion).toBeDefined();
  expect(serverInfo).toMatchObject({ name: expect.any(String), version: expect.any(String) });
  expect(serverCapabilities).toMatchObject({
    supportsStreaming: true,
    supportsDebugging: true,
    supportsPortForwarding: true,
    supportsFileWatch: true,
    supportsTerminals: true,
    supportsPackages: true,
    supportsNetwork: false,
    supportsSnapshots: false,
    supportsFork: false,
    limits: { maxTimeout: 300, maxMemory: 2048, maxCodeLength: 100_000, maxMessageBytes: 32 << 20 },
  });
  expect(serverCapabilities.supportedLanguages).toEqual(expect.arrayContaining(['python', 'javascript']));
  expect(serverCapabilities.limits.maxConcurrency).toBeGreaterThan(0);
  const refused = await client.refused('initialize', {
    clientCapabilities: { requiredLanguages: ['cobol'] },
  });
  expect(refused.message).toContain('cobol');
  await client.close();
});

test('rpc.discover gives the OpenRPC document, which names every method', async () => {
  const client = await RpcClient.connect(server.wsUrl);
  const document = await client.call('rpc.discover');
  const { body } = await http(`${server.url}/openrpc.json`);
  expect(document).toEqual(body);
  const names = document.methods.map((m: { name: string }) => m.name);
  for (const name of [
    'execution.run',
    'session.create',
    'session.execute',
    'session.attach',
    'fs.readFile',
    'ping',
  ]) {
    expect(names).toContain(name);
  }
  await client.close();
});
