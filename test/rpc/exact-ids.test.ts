import { describe, expect, test } from 'vitest';
import { createRpc } from '../../src/rpc/index.ts';
import { until } from './door.ts';
import { log, ServiceDouble } from './service-double.ts';

/** A door that is looked at as text: parsing an answer would change its numbers again. */
function openTextDoor() {
  const sent: string[] = [];
  const outlet = {
    send(text: string, gone: () => void) {
      sent.push(text);
      gone();
    },
    room() {},
  };
  const service = new ServiceDouble();
  const rpc = createRpc({ service, log: log as never });
  const connection = rpc.connect({ owner: null, client: 'test', log, outlet });
  return { sent, service, connection };
}
const ping = (id: string) => `{"jsonrpc":"2.0","id":${id},"method":"ping"}`;
const idOf = (answer: string | undefined) => /"id":([^,}]+)/.exec(answer ?? '')?.[1];

/** Numbers that a double holds as others, and ones that it holds. */
const EXACT = [
  '9007199254740993',
  '-9007199254740993',
  '18446744073709551615',
  '9007199254740992.5',
  '0.1000000000000000055511151231257827',
  '1.00000000000000000001',
  '3.0000000000000001e0',
  '12345678901234567890123456789012345678901234567890',
];

describe('an id', () => {
  test.each(EXACT)('%s comes back as it was sent', async id => {
    const { sent, connection } = openTextDoor();
    await connection.receive(ping(id));
    await connection.receive(`[${ping('1')}, {"x":{"id":5}}, ${ping(id)} ]`);
    await connection.receive(`${ping(id)}\n${ping('2')}`);
    expect(sent[0]).toContain(`"id":${id}`);
    expect(sent[0]).toContain('"result"');
    expect(sent[1]).toMatch(new RegExp(`^\\[.*"id":1.*"id":${id.replaceAll('.', '\\.')}`));
    expect(sent.slice(2).map(idOf).sort()).toEqual([id, '2'].sort());
  });

  test.each([
    ['1e2', '100'],
    ['1.50', '1.5'],
    ['100000000000000000000', '100000000000000000000'],
    ['1.0000000000000000', '1'],
    ['0e400', '0'],
  ])('%s comes back as the same number', async (id, answered) => {
    const { sent, connection } = openTextDoor();
    await connection.receive(ping(id));
    expect(idOf(sent[0])).toBe(answered);
  });

  test.each(['1e400', '-1e400', '1e-400', `1${'0'.repeat(400)}`])('%s is invalid', async id => {
    const { sent, connection } = openTextDoor();
    await connection.receive(ping(id));
    await connection.receive(`[${ping(id)},${ping('1')}]`);
    const invalid = { jsonrpc: '2.0', id: null, error: { code: -32600, message: 'Invalid Request' } };
    expect(JSON.parse(sent[0]!)).toEqual(invalid);
    expect(JSON.parse(sent[1]!)).toEqual([invalid, expect.objectContaining({ id: 1 })]);
  });

  test.each([
    '{"id":1,"jsonrpc":"2.0","method":"ping","id":9007199254740993}',
    '{"jsonrpc":"2.0","\\u0069d" : 9007199254740993,"method":"ping"}',
    ' {"jsonrpc":"2.0","params":{},"method":"ping",\n"id":\t9007199254740993\n}',
  ])('is found wherever it stands: %s', async text => {
    const { sent, connection } = openTextDoor();
    await connection.receive(text);
    expect(idOf(sent[0])).toBe('9007199254740993');
  });

  test.each([
    '{"id":9007199254740993,"jsonrpc":"2.0","method":"ping","id":1}',
    '{"jsonrpc":"2.0","id":1,"method":"ping","params":{"\\"id\\":":{"id":9007199254740993}}}',
  ])('is not taken from elsewhere: %s', async text => {
    const { sent, connection } = openTextDoor();
    await connection.receive(text);
    expect(idOf(sent[0])).toBe('1');
  });

  test('is not what a client makes look like raw JSON', async () => {
    const { sent, connection } = openTextDoor();
    await connection.receive(ping('{"rawJSON":"9007199254740993"}'));
    expect(JSON.parse(sent[0]!)).toMatchObject({ id: null, error: { code: -32600 } });
  });

  test('of metadata is left alone', async () => {
    const { sent, connection } = openTextDoor();
    const create = '"method":"session.create","params":{"language":"python","metadata":{"id":1e3}}';
    await connection.receive(`{"jsonrpc":"2.0","id":9007199254740993,${create}}`);
    expect(JSON.parse(sent[0]!).result.config.metadata).toEqual({ id: 1000 });
  });
});

describe('$/cancelRequest', () => {
  const run = (id: string) =>
    `{"jsonrpc":"2.0","id":${id},"method":"execution.run","params":{"language":"python","code":${JSON.stringify(
      JSON.stringify({ waitFor: 'never' }),
    )}}}`;
  const cancel = (id: string) =>
    `{"jsonrpc":"2.0","id":"c","method":"$/cancelRequest","params":{"id":${id}}}`;

  test('tells exact ids apart, however they are written', async () => {
    const { sent, connection } = openTextDoor();
    void connection.receive(run('9007199254740993'));
    await connection.receive(cancel('9007199254740992'));
    expect(sent[0]).toContain('"cancelled":false');
    await connection.receive(cancel('"9007199254740993"'));
    expect(sent[1]).toContain('"cancelled":false');
    await connection.receive(cancel('9.007199254740993e15'));
    expect(sent[2]).toContain('"cancelled":true');
    await until(() => sent.length === 4);
    expect(sent[3]).toContain('"id":9007199254740993');
    expect(sent[3]).toContain('-32800');
  });

  test('works in a batch', async () => {
    const { sent, connection } = openTextDoor();
    await connection.receive(`[${run('9007199254740993')},${cancel('9007199254740993')}]`);
    expect(sent[0]).toContain('"cancelled":true');
    expect(sent[0]).toMatch(/"id":9007199254740993,"error":\{"code":-32800/);
  });

  test('refuses an id that is no number', async () => {
    const { sent, connection } = openTextDoor();
    await connection.receive(cancel('1e400'));
    expect(JSON.parse(sent[0]!)).toMatchObject({ id: 'c', error: { code: -32602, data: { field: 'id' } } });
  });
});
