import { Type } from '@sinclair/typebox';
import pino from 'pino';
import { describe, expect, test } from 'vitest';
import { Connection } from '../../src/rpc/connection.ts';
import { Dispatcher } from '../../src/rpc/dispatcher.ts';
import { defineMethod } from '../../src/rpc/method.ts';
import { log, ServiceDouble } from './service-double.ts';

/** Methods of the specification's examples, under by-name parameters where the examples pass them by position. */
const numbers = Type.Array(Type.Number());
const method = (
  name: string,
  properties: Parameters<typeof Type.Object>[0],
  run: (params: never) => unknown,
) => defineMethod({ name, summary: name, params: Type.Object(properties), result: Type.Unknown(), run });
const dispatcher = new Dispatcher({
  service: new ServiceDouble(),
  log: pino({ level: 'silent' }),
  describe: () => ({}),
  methods: [
    method(
      'subtract',
      { minuend: Type.Number(), subtrahend: Type.Number() },
      (p: { minuend: number; subtrahend: number }) => p.minuend - p.subtrahend,
    ),
    method('sum', { numbers }, (p: { numbers: number[] }) => p.numbers.reduce((a, b) => a + b, 0)),
    method('get_data', {}, () => ['hello', 5]),
    method('update', {}, () => null),
    method('notify_hello', {}, () => null),
    method('notify_sum', { numbers }, () => null),
  ],
});

async function exchange(text: string): Promise<unknown> {
  const connection = new Connection(dispatcher, { owner: null, log, client: 'test', outlet: null });
  const answer = await connection.answer(text);
  return answer === null ? null : JSON.parse(answer);
}

const INVALID = { jsonrpc: '2.0', error: { code: -32600, message: 'Invalid Request' }, id: null };
const UNPARSED = { jsonrpc: '2.0', error: { code: -32700, message: 'Parse error' }, id: null };
const byPosition = (id: number) => ({
  jsonrpc: '2.0',
  id,
  error: {
    code: -32602,
    message: expect.stringContaining('by name'),
    data: { code: 'VALIDATION_ERROR', field: 'params' },
  },
});

/** https://www.jsonrpc.org/specification, section 7, in its order. */
describe('the examples of the JSON-RPC 2.0 specification', () => {
  test.each<[string, string, unknown]>([
    [
      '1 positional parameters',
      '{"jsonrpc": "2.0", "method": "subtract", "params": [42, 23], "id": 1}',
      byPosition(1),
    ],
    [
      '2 positional parameters, other order',
      '{"jsonrpc": "2.0", "method": "subtract", "params": [23, 42], "id": 2}',
      byPosition(2),
    ],
    [
      '3 named parameters',
      '{"jsonrpc": "2.0", "method": "subtract", "params": {"subtrahend": 23, "minuend": 42}, "id": 3}',
      { jsonrpc: '2.0', result: 19, id: 3 },
    ],
    [
      '4 named parameters, other order',
      '{"jsonrpc": "2.0", "method": "subtract", "params": {"minuend": 42, "subtrahend": 23}, "id": 4}',
      { jsonrpc: '2.0', result: 19, id: 4 },
    ],
    ['5 a notification', '{"jsonrpc": "2.0", "method": "update", "params": [1,2,3,4,5]}', null],
    ['6 a notification of an unknown method', '{"jsonrpc": "2.0", "method": "foobar"}', null],
    [
      '7 an unknown method',
      '{"jsonrpc": "2.0", "method": "foobar", "id": "1"}',
      {
        jsonrpc: '2.0',
        error: { code: -32601, message: expect.stringMatching(/^Method not found: "foobar"/) },
        id: '1',
      },
    ],
    ['8 invalid JSON', '{"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz]', UNPARSED],
    ['9 an invalid request', '{"jsonrpc": "2.0", "method": 1, "params": "bar"}', INVALID],
    [
      '10 a batch of invalid JSON',
      '[\n{"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},\n{"jsonrpc": "2.0", "method"\n]',
      UNPARSED,
    ],
    ['11 an empty batch', '[]', INVALID],
    ['12 an invalid batch, not empty', '[1]', [INVALID]],
    ['13 an invalid batch', '[1,2,3]', [INVALID, INVALID, INVALID]],
    [
      '15 a batch of notifications',
      '[{"jsonrpc": "2.0", "method": "notify_sum", "params": [1,2,4]}, {"jsonrpc": "2.0", "method": "notify_hello", "params": [7]}]',
      null,
    ],
  ])('%s', async (_, request, response) => {
    expect(await exchange(request)).toEqual(response);
  });

  test('14 a batch', async () => {
    const answer = (await exchange(`[
      {"jsonrpc": "2.0", "method": "sum", "params": {"numbers": [1,2,4]}, "id": "1"},
      {"jsonrpc": "2.0", "method": "notify_hello", "params": {}},
      {"jsonrpc": "2.0", "method": "subtract", "params": {"minuend": 42, "subtrahend": 23}, "id": "2"},
      {"foo": "boo"},
      {"jsonrpc": "2.0", "method": "foo.get", "params": {"name": "myself"}, "id": "5"},
      {"jsonrpc": "2.0", "method": "get_data", "id": "9"}
    ]`)) as unknown[];
    expect(answer).toHaveLength(5);
    expect(answer).toEqual(
      expect.arrayContaining([
        { jsonrpc: '2.0', result: 7, id: '1' },
        { jsonrpc: '2.0', result: 19, id: '2' },
        INVALID,
        {
          jsonrpc: '2.0',
          error: { code: -32601, message: expect.stringMatching(/^Method not found: "foo.get"/) },
          id: '5',
        },
        { jsonrpc: '2.0', result: ['hello', 5], id: '9' },
      ]),
    );
  });
});
