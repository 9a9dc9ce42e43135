import { describe, expect, test } from 'vitest';
import { openDoor } from './door.ts';

describe('an envelope', () => {
  test.each([null, 0, -1.5, '', 'a'])('with id %j is answered under it', async id => {
    const door = openDoor();
    await door.send({ jsonrpc: '2.0', id, method: 'ping' });
    expect(door.received).toMatchObject([{ id, result: { now: expect.any(String) } }]);
  });

  test.each([true, {}, [], [1]])('with id %j is invalid, under id null', async id => {
    const door = openDoor();
    await door.send({ jsonrpc: '2.0', id, method: 'ping' });
    expect(door.received).toMatchObject([{ id: null, error: { code: -32600 } }]);
  });

  test.each([
    { method: 'ping', id: 1 },
    { jsonrpc: '1.0', method: 'ping', id: 1 },
    { jsonrpc: 2, method: 'ping', id: 1 },
    { jsonrpc: '2.0', id: 1 },
    { jsonrpc: '2.0', id: 1, method: null },
    { jsonrpc: '2.0', id: 1, method: 'ping', params: 'x' },
    { jsonrpc: '2.0', id: 1, method: 'ping', params: null },
    { jsonrpc: '2.0', id: 1, result: 5 },
  ])('like %j is invalid', async message => {
    const door = openDoor();
    await door.send(message);
    expect(door.received).toMatchObject([{ id: 1, error: { code: -32600, message: 'Invalid Request' } }]);
  });

  test('cannot reach what objects inherit', async () => {
    const door = openDoor();
    for (const method of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
      expect(await door.ask(method)).toMatchObject({ error: { code: -32601 } });
    }
  });

  test('is one per line where every line is a JSON text of its own', async () => {
    const door = openDoor();
    const line = (id: number) => JSON.stringify({ jsonrpc: '2.0', id, method: 'ping' });
    await door.send(`${line(1)}\n${line(2)}\r\n\n[${line(3)}]\n`);
    expect(
      door.received.map(message => (Array.isArray(message) ? message[0].id : message.id)).sort(),
    ).toEqual([1, 2, 3]);
    await door.send(`${line(4)}\n{"jsonrpc":`);
    expect(door.received.at(-1)).toMatchObject({ id: null, error: { code: -32700 } });
    expect(door.received).toHaveLength(4);
  });

  test('may be spread over lines', async () => {
    const door = openDoor();
    await door.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' }, null, 2));
    expect(door.received).toMatchObject([{ id: 1, result: {} }]);
  });

  test.each([
    ['100 000 open brackets', '['.repeat(100_000)],
    ['100 000 nested lists', `${'['.repeat(100_000)}${']'.repeat(100_000)}`],
    [
      '100 000 nested objects',
      `{"jsonrpc":"2.0","id":1,"method":"ping","params":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}}`,
    ],
    ['an unfinished string of backslashes', `"${'\\'.repeat(100_001)}`],
    ['nothing', ''],
    ['white space', ' \n '],
  ])('of %s is answered with an error, and the next one is served', async (_, text) => {
    const door = openDoor();
    await door.send(text);
    expect(door.received).toMatchObject([{ id: null, error: { code: -32700, message: 'Parse error' } }]);
    expect(await door.ask('ping')).toMatchObject({ result: {} });
  });

  test('takes brackets inside of strings for text', async () => {
    const door = openDoor();
    const id = `${'[{'.repeat(500)}\\" "`;
    await door.send({ jsonrpc: '2.0', id, method: 'ping' });
    expect(door.received).toMatchObject([{ id, result: {} }]);
  });

  test('with a lone surrogate comes back as it was', async () => {
    const door = openDoor();
    await door.send('{"jsonrpc":"2.0","id":"\\ud800","method":"ping"}');
    expect(door.received).toMatchObject([{ id: '\ud800', result: {} }]);
  });

  test('in a batch of more than 10 000 is refused as a whole', async () => {
    const door = openDoor();
    await door.send(Array.from({ length: 10_001 }, (_, id) => ({ jsonrpc: '2.0', id, method: 'ping' })));
    expect(door.received).toMatchObject([{ id: null, error: { code: -32600 } }]);
  });
});
