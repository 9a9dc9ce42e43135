import { expect, inject, test } from 'vitest';
import { RpcClient } from '../support/rpc-client.ts';
import { TestSession } from '../support/session.ts';

/** Messages with long texts, which are read and written past JSON's own functions: as clients send them, whole and in pieces. */
const { wsUrl } = inject('server');
const PLAIN = 'x'.repeat(3 << 20);
const WORDS = 'é and more '.repeat(30_000);
const CODE = 'print("é\\n")\t\u0001\u007f\r\n'.repeat(20_000);

const open = () => TestSession.open(wsUrl, { language: 'python' });
const request = (session: TestSession, id: unknown, command: object) => ({
  jsonrpc: '2.0',
  id,
  method: 'session.execute',
  params: { sessionId: session.id, command },
});

test('a long text is written and read as it is, whatever is in it', async () => {
  await using session = await open();
  for (const content of [PLAIN, WORDS, CODE, `${WORDS}\n`, `"${PLAIN}`]) {
    const bytes = Buffer.byteLength(content);
    expect(await session.done('write_file', { path: 'a', content })).toMatchObject({ bytes });
    for (const encoding of ['utf8', undefined]) {
      const read = await session.done('read_file', { path: 'a', ...(encoding && { encoding }) });
      expect({ ...read, content: read.content === content }).toEqual({
        content: true,
        bytes,
        encoding: 'utf8',
      });
    }
    const base64 = Buffer.from(content).toString('base64');
    const read = await session.done('read_file', { path: 'a', encoding: 'base64' });
    expect(read.content === base64).toBe(true);
    // By an older spelling too.
    for (const [path, name] of Object.entries({ b: 'encoding', c: 'encoding_' }))
      expect(await session.done('write_file', { path, content: base64, [name]: 'base64' })).toMatchObject({
        bytes,
      });
    expect(await session.shell('sh', ['-c', 'cmp a b && cmp a c'])).toMatchObject({ exitCode: 0 });
    await session.done('write_file', { path: 'b', content, mode: 'Append' });
    expect((await session.done('stat', { path: 'b' })).size).toBe(2 * bytes);
  }
  // UTF-8 has no bytes for a surrogate without its partner.
  await session.done('write_file', { path: 'a', content: `${PLAIN}\ud800` });
  expect((await session.done('read_file', { path: 'a', offset: PLAIN.length })).content).toBe('\ufffd');
  await session.shell('sh', ['-c', "printf '\\377' >> a"]);
  expect(await session.command('read_file', { path: 'a', encoding: 'utf8' })).toMatchObject({
    success: false,
  });
});

test('a long text beside what is wrong with its command is refused as a short one is', async () => {
  await using session = await open();
  for (const fields of [
    { path: 1 },
    {},
    { path: 'a', mode: 'x' },
    { path: 'a', encoding: 'x' },
    { path: 'a', more: 1 },
    { path: '/etc/a' },
  ]) {
    const answer = async (content: string) => {
      const { message, code, data } = await session.client.refused('session.execute', {
        sessionId: session.id,
        command: { type: 'write_file', ...fields, content },
      });
      return { message, code, data };
    };
    expect(await answer(PLAIN)).toEqual(await answer('x'));
  }
});

test('a long text comes in fragments, and goes in a batch', async () => {
  await using session = await open();
  const { socket, strays } = session.client;
  const message = Buffer.from(
    JSON.stringify(request(session, 'w', { type: 'write_file', path: 'a', content: WORDS })),
  );
  const options = { binary: false };
  // In the middle of a character.
  const cut = message.lastIndexOf('é') + 1;
  for (const [from, to] of [
    [0, 1],
    [1, 1],
    [1, 200_001],
    [200_001, cut],
  ] as const)
    socket.send(message.subarray(from, to), { ...options, fin: false });
  socket.send(message.subarray(cut), options);
  await session.client.until(() => strays.length === 1);
  expect(strays).toMatchObject([{ id: 'w', result: { success: true } }]);
  const reads = ['r', 's'].map(id => request(session, id, { type: 'read_file', path: 'a' }));
  const answers = (await session.client.exchange(JSON.stringify(reads))) as {
    result: { result: { content: string } };
  }[];
  expect(answers.map(({ result }) => result.result.content === WORDS)).toEqual([true, true]);
});

test.each([
  ['no UTF-8', Buffer.from([0xff])],
  ['half a character', Buffer.from('é').subarray(0, 1)],
  ['a surrogate', Buffer.from([0xed, 0xa0, 0x80])],
])('a long text with %s closes the socket', async (_, bytes) => {
  const client = await RpcClient.connect(wsUrl);
  const message = ['{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":"', PLAIN, bytes, '"}}'];
  client.socket.send(Buffer.concat(message.map(part => Buffer.from(part as string))), { binary: false });
  await client.until(() => client.closed !== undefined);
  expect(client.closed?.code).toBe(1007);
});
