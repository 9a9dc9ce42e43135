import { createHash, randomBytes } from 'node:crypto';
import {
  brotliCompressSync,
  brotliDecompressSync,
  gunzipSync,
  gzipSync,
  zstdCompressSync,
  zstdDecompressSync,
} from 'node:zlib';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { FileRefused } from '../../../src/sandbox.ts';
import { DataClient, frame, MAX_PAYLOAD } from '../../support/data-client.ts';
import { openHttp } from '../support/open-http.ts';

const http = await openHttp({ CODEBEAKER_API_KEYS: 'alice,bob' });
const wsUrl = http.url.replace('http', 'ws');
afterAll(() => http.app.close());
const owner = createHash('sha256').update('alice').digest('hex');

let sessionId: string;
let files: (typeof http.runtime.sandboxes)[number]['files'];
let client: DataClient;
const connect = (key = 'alice') => DataClient.connect(wsUrl, { headers: { 'x-api-key': key } });
beforeEach(async () => {
  sessionId = (await http.session({}, { owner })).id;
  files = http.runtime.sandboxes.at(-1)!.files;
  client = await connect();
});
afterEach(() => client.cut());

const DATA = randomBytes(9 * 1024 * 1024 + 5);
const sha256 = (data: Uint8Array) => createHash('sha256').update(data).digest('hex');
const at = (path: string, id: string | number = path) => ({ id, sessionId, path });
const content = (path: string) => files.contents.get(`/workspace/${path}`);
const isTaken = (path: string, received: number) =>
  vi.waitFor(
    async () => {
      const progress = await http.service.transfers.progress(sessionId, path, http.call({ owner }));
      expect(progress).toMatchObject({ received });
    },
    { timeout: 15_000, interval: 1 },
  );

test('a file goes by its size or by its end, and comes back', async () => {
  const sized = { ...at('a'), size: DATA.length, sha256: sha256(DATA) };
  expect(await client.upload(sized, DATA)).toMatchObject({
    id: 'a',
    op: 'done',
    bytes: DATA.length,
    sha256: sha256(DATA),
  });
  expect(await client.upload(at('b', 7), DATA.subarray(0, 100_001), 1000)).toMatchObject({
    id: 7,
    bytes: 100_001,
  });
  expect(await client.upload({ ...at('empty'), size: 0 }, Buffer.alloc(0))).toMatchObject({
    op: 'done',
    bytes: 0,
  });
  expect([content('a')?.equals(DATA), content('b')?.length, content('empty')?.length]).toEqual([
    true,
    100_001,
    0,
  ]);
  const { ready, end, data } = await client.download(at('a'));
  expect(ready).toMatchObject({ op: 'ready', size: DATA.length, offset: 0 });
  expect(end).toMatchObject({ op: 'done', bytes: DATA.length, sha256: sha256(DATA) });
  expect(data.equals(DATA)).toBe(true);
});

test('a part of a file is what it names', async () => {
  files.contents.set('/workspace/f', DATA);
  for (const [offset, length] of [
    [5, 10],
    [DATA.length - 3, 100],
    [DATA.length, 1],
    [0, 0],
  ] as const) {
    const { end, data } = await client.download({ ...at('f'), offset, length });
    const part = DATA.subarray(offset, offset + length);
    expect([data.equals(part), end.bytes, end.sha256]).toEqual([true, part.length, sha256(part)]);
  }
  const { end } = await client.download({ ...at('f'), offset: DATA.length + 1 });
  expect(end).toMatchObject({ op: 'error', code: 'RANGE_NOT_SATISFIABLE' });
});

test('a download waits for what its client grants, and others go on', async () => {
  files.contents.set('/workspace/f', DATA);
  client.grants = false;
  client.say({ op: 'download', ...at('f', 'waits') });
  const { transfer } = await client.answer('waits');
  const other = await connect();
  await other.download(at('f'));
  expect(client.received(transfer).length).toBe(4 * MAX_PAYLOAD);
  client.say({ op: 'window', transfer, bytes: 7 });
  await vi.waitFor(() => expect(client.received(transfer).length).toBe(4 * MAX_PAYLOAD + 7), {
    timeout: 15_000,
  });
  client.say({ op: 'window', transfer, bytes: DATA.length });
  expect(await client.answer('waits')).toMatchObject({ op: 'done', sha256: sha256(DATA) });
  await other.cut();
});

test('an upload that is cut goes on where it was, fifty times', async () => {
  const size = 2_000_000;
  const data = DATA.subarray(0, size);
  let resume: number | undefined;
  let received = 0;
  for (let cuts = 0; cuts < 50; cuts++) {
    const one = await connect();
    one.say({ op: 'upload', ...at('f'), size, sha256: sha256(data), resume });
    const ready = await one.answer('f');
    expect(ready, `after ${cuts} cuts`).toMatchObject({ op: 'ready', offset: received });
    resume = ready.transfer;
    const bytes = 1 + ((cuts * 7919) % 40_000);
    await one.send('f', ready.transfer, received, data.subarray(received, received + bytes), 3000);
    received += bytes;
    // What has come and waits for its turn to be written goes with its connection.
    await isTaken('f', received);
    await one.cut();
  }
  const end = await client.upload({ ...at('f'), size, resume }, data);
  expect(end).toMatchObject({ op: 'done', bytes: size, sha256: sha256(data) });
  expect(content('f')?.equals(data)).toBe(true);
});

test('an upload goes on over another connection while the server still believes in the first', async () => {
  client.say({ op: 'upload', ...at('f'), size: 10 });
  const { transfer } = await client.answer('f');
  await client.send('f', transfer, 0, Buffer.from('01234'));
  const other = await connect();
  expect(
    await other.upload({ ...at('f'), resume: transfer, size: 10 }, Buffer.from('0123456789')),
  ).toMatchObject({
    op: 'done',
  });
  client.socket.send(frame(transfer, 5, Buffer.from('x')));
  expect(await client.answer('f')).toMatchObject({ op: 'error', code: 'CONFLICT' });
  expect(content('f')?.toString()).toBe('0123456789');
  await other.cut();
});

describe('compression', () => {
  test.each([
    ['gzip', gzipSync, gunzipSync],
    ['br', brotliCompressSync, brotliDecompressSync],
    ['zstd', zstdCompressSync, zstdDecompressSync],
  ] as const)(
    'with %s goes both ways, and digests and sizes are the file’s',
    async (compression, pack, unpack) => {
      const text = Buffer.from('a line like every other\n'.repeat(200_000));
      const packed = pack(text);
      client.say({ op: 'upload', ...at('f'), size: text.length, sha256: sha256(text), compression });
      const { transfer } = await client.answer('f');
      await client.send('f', transfer, 0, packed, 1000);
      expect(await client.answer('f')).toMatchObject({
        op: 'done',
        bytes: text.length,
        sha256: sha256(text),
      });
      expect(content('f')?.equals(text)).toBe(true);
      const { end, data } = await client.download({ ...at('f'), compression });
      expect(data.length).toBeLessThan(text.length / 10);
      expect(unpack(data).equals(text)).toBe(true);
      expect(end).toMatchObject({ bytes: text.length, sha256: sha256(text) });
      const bad = await client.upload({ ...at('g'), compression }, Buffer.alloc(1000, 'nothing'));
      expect(bad).toMatchObject({ code: 'VALIDATION_ERROR', field: 'compression' });
    },
  );

  test('of what was cut goes on', async () => {
    const text = randomBytes(300_000);
    const packed = gzipSync(text);
    const one = await connect();
    one.say({ op: 'upload', ...at('f'), compression: 'gzip' });
    const { transfer } = await one.answer('f');
    await one.send('f', transfer, 0, packed.subarray(0, 100_000), 1000);
    await isTaken('f', 100_000);
    await one.cut();
    expect(await client.upload({ ...at('f'), compression: 'gzip', resume: transfer }, packed)).toMatchObject({
      op: 'done',
      sha256: sha256(text),
    });
  });

  test('that makes much of little is bounded by what was announced', async () => {
    const bomb = gzipSync(Buffer.alloc(50 * 1024 * 1024));
    expect(await client.upload({ ...at('f'), compression: 'gzip', size: 1000 }, bomb)).toMatchObject({
      code: 'VALIDATION_ERROR',
      message: 'size: more than 1000 bytes have come',
    });
    expect(content('f')).toBeUndefined();
  });
});

describe('is refused, and nothing changes:', () => {
  const begin = async (more: object = {}) => {
    await client.upload({ ...at('f', 'old'), size: 3 }, Buffer.from('old'));
    client.say({ op: 'upload', ...at('f'), ...more });
    return (await client.answer('f')).transfer as number;
  };
  afterEach(() => expect(content('f')?.toString()).toBe('old'));

  test('another digest', async () => {
    await begin({ size: 3, sha256: sha256(DATA) }).then(transfer =>
      client.send('f', transfer, 0, Buffer.from('new')),
    );
    expect(await client.answer('f')).toMatchObject({ op: 'error', code: 'DIGEST_MISMATCH' });
  });

  test('an end before its size', async () => {
    const transfer = await begin({ size: 30 });
    client.say({ op: 'end', transfer });
    expect(await client.answer('f')).toMatchObject({ message: 'size: 0 of 30 bytes have come' });
  });

  test.each([1, 2 ** 40])('bytes of elsewhere (%d), which can be sent again', async offset => {
    const transfer = await begin({ size: 10 });
    client.socket.send(frame(transfer, offset, Buffer.from('x')));
    expect(await client.answer('f')).toMatchObject({
      message: `offset: is ${offset}, and 0 bytes are there`,
    });
    client.say({ op: 'upload', ...at('f'), resume: transfer });
    expect(await client.answer('f')).toMatchObject({ op: 'ready', offset: 0 });
  });

  test('more than was granted', async () => {
    const transfer = await begin();
    files.beforeWrite = () => new Promise(() => {});
    for (let i = 0; i < 5; i++)
      client.socket.send(frame(transfer, i * MAX_PAYLOAD, DATA.subarray(0, MAX_PAYLOAD)));
    expect(await client.answer('f')).toMatchObject({ code: 'VALIDATION_ERROR', field: 'window' });
  });

  test('a cancelled one, which does not stay', async () => {
    const transfer = await begin();
    await client.send('f', transfer, 0, Buffer.from('new'));
    client.say({ op: 'cancel', id: 'f' });
    expect(await client.answer('f')).toMatchObject({ op: 'error', code: 'CANCELLED' });
    client.say({ op: 'upload', ...at('f'), resume: transfer });
    expect(await client.answer('f')).toMatchObject({ code: 'NOT_FOUND' });
  });

  test('a full disk', async () => {
    const transfer = await begin();
    files.refusal = new FileRefused('No space left in the sandbox: /workspace/f', 'full');
    await client.send('f', transfer, 0, Buffer.from('new'));
    expect(await client.answer('f')).toMatchObject({ code: 'DISK_FULL' });
  });

  test('a session that ends', async () => {
    const transfer = await begin();
    await client.send('f', transfer, 0, Buffer.from('new'));
    await http.service.sessions.close(sessionId, http.call({ owner }));
    client.say({ op: 'end', transfer });
    expect(await client.answer('f')).toMatchObject({ op: 'error' });
  });
});

test.each<[string, object | string, string, string | null]>([
  ['no JSON', 'upload', 'VALIDATION_ERROR', 'message'],
  ['no object', '[1]', 'VALIDATION_ERROR', 'op'],
  ['another op', { op: 'constructor', id: 'x' }, 'VALIDATION_ERROR', 'op'],
  ['no id', { op: 'upload', sessionId: '', path: 'f' }, 'VALIDATION_ERROR', 'id'],
  ['a field too many', { op: 'cancel', id: 'x', force: true }, 'VALIDATION_ERROR', 'force'],
  [
    'a negative size',
    { op: 'upload', id: 'x', sessionId: '', path: 'f', size: -1 },
    'VALIDATION_ERROR',
    'size',
  ],
  [
    'a digest that is none',
    { op: 'upload', id: 'x', sessionId: '', path: 'f', sha256: 'ab' },
    'VALIDATION_ERROR',
    'sha256',
  ],
  [
    'an unknown compression',
    { op: 'download', id: 'x', sessionId: '', path: 'f', compression: 'lz4' },
    'VALIDATION_ERROR',
    'compression',
  ],
  ['no such session', { op: 'download', id: 'x', sessionId: 'gone', path: 'f' }, 'SESSION_NOT_FOUND', null],
  ['another’s transfer', { op: 'end', transfer: 4_000_000_000 }, 'VALIDATION_ERROR', 'transfer'],
  ['nothing to cancel', { op: 'cancel', id: 'x' }, 'NOT_FOUND', null],
])('%s is answered with an error, and the connection goes on', async (_, message, code, field) => {
  client.say(message);
  const answer = await client.next(() => true);
  expect(answer).toMatchObject({ op: 'error', code, ...(field && { field }) });
  expect(await client.upload({ ...at('f'), size: 1 }, Buffer.from('x'))).toMatchObject({ op: 'done' });
});

test('frames that are none are answered, and leave the others alone', async () => {
  for (const bytes of [
    Buffer.alloc(0),
    Buffer.alloc(11),
    frame(1, 0, Buffer.alloc(MAX_PAYLOAD + 1)),
    frame(0, 0, Buffer.alloc(1)),
  ]) {
    client.socket.send(bytes);
    expect(await client.next(message => message.id === null)).toMatchObject({
      op: 'error',
      code: 'VALIDATION_ERROR',
    });
  }
});

test('another key’s session and transfers do not exist', async () => {
  const bob = await connect('bob');
  client.say({ op: 'upload', ...at('f'), size: 5 });
  const { transfer } = await client.answer('f');
  files.contents.set('/workspace/g', Buffer.from('secret'));
  bob.say({ op: 'upload', ...at('f'), resume: transfer });
  expect(await bob.answer('f')).toMatchObject({ code: 'SESSION_NOT_FOUND' });
  expect((await bob.download(at('g'))).end).toMatchObject({ code: 'SESSION_NOT_FOUND' });
  bob.socket.send(frame(transfer, 0, Buffer.from('xxxxx')));
  expect(await bob.next(message => message.id === null)).toMatchObject({ field: 'transfer' });
  await client.send('f', transfer, 0, Buffer.from('right'));
  expect(await client.answer('f')).toMatchObject({ op: 'done' });
  expect(content('f')?.toString()).toBe('right');
  await bob.cut();
  await expect(DataClient.connect(wsUrl)).rejects.toThrow();
  await expect(connect('nobody')).rejects.toThrow();
});

test('a resumed upload must be what it began as', async () => {
  client.say({ op: 'upload', ...at('f'), size: 5, sha256: sha256(Buffer.from('right')) });
  const { transfer: resume } = await client.answer('f');
  const other = await connect();
  for (const [field, more] of Object.entries({
    path: { path: 'g' },
    size: { size: 6 },
    sha256: { sha256: sha256(DATA) },
    compression: { compression: 'gzip' },
  })) {
    other.say({ op: 'upload', ...at('f', field), resume, ...more });
    expect(await other.answer(field)).toMatchObject({ code: 'VALIDATION_ERROR', field });
  }
  await other.upload({ ...at('f', 'end'), size: 5, resume }, Buffer.from('wrong'));
  expect(content('f')).toBeUndefined();
  await other.cut();
});

test('a connection has so many transfers at once, and a client so many over all of them', async () => {
  for (let i = 0; i < 33; i++) client.say({ op: 'upload', ...at(`f${i}`, i) });
  expect(await client.answer(32)).toMatchObject({ code: 'QUEUE_FULL' });
  expect(await client.answer(31)).toMatchObject({ op: 'ready' });
  const others = await Promise.all([connect(), connect()]);
  for (const [n, other] of others.entries())
    for (let i = 0; i < 32; i++) other.say({ op: 'upload', ...at(`g${n}-${i}`, i) });
  expect(await others[1]!.next(message => message.op === 'error')).toMatchObject({
    code: 'QUEUE_FULL',
    retryAfter: 1,
  });
  for (const other of others) await other.cut();
  await vi.waitFor(
    async () => {
      const again = await connect();
      expect(await again.upload({ ...at('h'), size: 1 }, Buffer.from('x'))).toMatchObject({ op: 'done' });
      await again.cut();
    },
    { timeout: 15_000 },
  );
});

test('the same name twice at once is refused', async () => {
  client.say({ op: 'upload', ...at('f', 'x') });
  client.say({ op: 'download', ...at('f', 'x') });
  const answers = [await client.answer('x'), await client.answer('x')];
  expect(answers.map(({ op }) => op).sort()).toEqual(['error', 'ready']);
});

test('the path speaks nothing but WebSocket', async () => {
  const answer = await fetch(`${http.url}/ws/data`, { headers: { 'x-api-key': 'alice' } });
  expect(answer.status).toBe(426);
});
