import { createHash } from 'node:crypto';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest';
import { LIMITS } from '../../../src/schemas/limits.ts';
import { DataClient, frame } from '../../support/data-client.ts';
import { openHttp } from '../support/open-http.ts';

/** What a client of /ws/data could make the service keep. */
const http = await openHttp({ CODEBEAKER_API_KEYS: 'alice,bob,carol,dave,eve' });
const wsUrl = http.url.replace('http', 'ws');
afterAll(() => http.app.close());

const ownerOf = (key: string) => createHash('sha256').update(key).digest('hex');
const connect = (key = 'alice') => DataClient.connect(wsUrl, { headers: { 'x-api-key': key } });
let client: DataClient;
beforeEach(async () => {
  client = await connect();
});
afterEach(() => client.cut());

test('a name is not sent back that is longer than names are', async () => {
  for (const id of ['x'.repeat(257), 'x'.repeat(60_000)]) {
    client.say({ op: 'cancel', id });
    expect(await client.next(({ op }) => op === 'error')).toMatchObject({ id: null, field: 'id' });
  }
});

test('a message that is longer than any has to be is not looked at', async () => {
  client.say({ op: 'cancel', id: 'x'.repeat(1 << 20) });
  expect(await client.next(({ op }) => op === 'error')).toMatchObject({
    id: null,
    field: 'message',
    message: expect.stringContaining('65536'),
  });
});

test('pieces of nothing wait nowhere', async () => {
  const { id: sessionId } = await http.session({}, { owner: ownerOf('alice') });
  const { files } = http.runtime.sandboxes.at(-1)!;
  const taken = Promise.withResolvers<void>();
  const pieces: number[] = [];
  const openWrite = files.openWrite.bind(files);
  files.openWrite = async (path, options) => {
    const sink = await openWrite(path, options);
    const write = async (data: Uint8Array) => {
      pieces.push(data.byteLength);
      await taken.promise;
      await sink.write(data);
    };
    return { ...sink, write };
  };
  client.say({ op: 'upload', id: 'f', sessionId, path: 'f' });
  const { transfer } = await client.answer('f');
  client.socket.send(frame(transfer, 0, Buffer.from('x')));
  for (let i = 0; i < 1000; i++) client.socket.send(frame(transfer, 1, Buffer.alloc(0)));
  client.socket.send(frame(transfer, 1, Buffer.from('y')));
  client.say({ op: 'cancel', id: 'nothing' });
  await client.answer('nothing');
  taken.resolve();
  client.say({ op: 'end', transfer });
  expect(await client.answer('f')).toMatchObject({ op: 'done', bytes: 2 });
  expect(pieces).toEqual([1, 1]);
});

test('no more is made of what is compressed than its sandbox has taken', async () => {
  const { id: sessionId } = await http.session({}, { owner: ownerOf('alice') });
  const { files } = http.runtime.sandboxes.at(-1)!;
  let asked = 0;
  let give = () => {};
  files.beforeWrite = () => {
    asked++;
    return new Promise(resolve => (give = resolve));
  };
  const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
  client.say({ op: 'upload', id: 'f', sessionId, path: 'f', compression: 'gzip' });
  const { transfer } = await client.answer('f');
  client.socket.send(frame(transfer, 0, bomb));
  for (let taken = 0; taken < 5; taken++) {
    client.say({ op: 'cancel', id: 'nothing' });
    await client.answer('nothing');
    await vi.waitFor(() => expect(asked).toBe(taken + 1));
    give();
  }
  client.say({ op: 'cancel', id: 'f' });
  expect(await client.answer('f')).toMatchObject({ code: 'CANCELLED' });
});

test.each([
  ['gzip', Buffer.alloc(4 * 1024 * 1024, gzipSync(''))],
  // RFC 8878, 3.1.2: a frame to be skipped, of no bytes.
  ['zstd', Buffer.alloc(4 * 1024 * 1024, Buffer.from([0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0]))],
])('%s that nothing comes of is refused', async (compression, nothing) => {
  const { id: sessionId } = await http.session({}, { owner: ownerOf('alice') });
  expect(await client.upload({ id: 'f', sessionId, path: 'f', compression }, nothing)).toMatchObject({
    code: 'VALIDATION_ERROR',
    field: 'compression',
    message: expect.stringContaining('bytes have come, and no more than 0 of them'),
  });
});

test('a client that opens a thousand and leaves takes nothing from anybody, and leaves no more than can be gone on with', async () => {
  const owner = ownerOf('bob');
  const { id: sessionId, close } = await http.session({}, { owner });
  const { files } = http.runtime.sandboxes.at(-1)!;
  const openWrite = files.openWrite.bind(files);
  let open = 0;
  files.openWrite = async (path, options) => {
    const sink = await openWrite(path, options);
    open++;
    return { ...sink, abort: () => void open-- };
  };
  const crowd = await Promise.all(Array.from({ length: 40 }, () => connect('bob')));
  for (const [i, one] of crowd.entries())
    for (let id = 0; id < 25; id++) one.say({ op: 'upload', id, sessionId, path: `f${(i + id) % 7}` });
  const answers = (
    await Promise.all(crowd.map(one => Promise.all(Array.from({ length: 25 }, (_, id) => one.answer(id)))))
  ).flat();
  const begun = answers.filter(({ op }) => op === 'ready').length;
  expect([begun, open]).toEqual([LIMITS.transfers.perClient, LIMITS.transfers.perClient]);
  for (const answer of answers)
    if (answer.op !== 'ready') expect(answer).toMatchObject({ op: 'error', code: 'QUEUE_FULL' });
  const { id: other } = await http.session({}, { owner: ownerOf('alice') });
  const upload = () => client.upload({ id: 'f', sessionId: other, path: 'f', size: 1 }, Buffer.from('x'));
  expect(await upload()).toMatchObject({ op: 'done' });
  await Promise.all(crowd.map(one => one.cut()));
  await vi.waitFor(() => expect(open).toBe(LIMITS.cutUploads), { timeout: 15_000 });
  const again = await connect('bob');
  const one = await again.upload({ id: 1, sessionId, path: 'g', size: 1 }, Buffer.from('y'));
  expect(one).toMatchObject({ op: 'done' });
  await again.cut();
  await close();
  // Of what was committed nothing is given up.
  await vi.waitFor(() => expect(open).toBe(1), { timeout: 15_000 });
});

/** The beginning of what is compressed, so that a decoder remembers something of it. */
const BEGINNING = zstdCompressSync(Buffer.alloc(1 << 20, 'x')).subarray(0, -4);
const coded = { coding: 'zstd', field: 'compression' } as const;

/** Begins so many uploads of what is compressed, each in a session of its own, and cuts them; resolves to what goes on with each. */
async function cutUploads(key: string, count: number) {
  const owner = ownerOf(key);
  const call = () => http.call({ owner, client: owner });
  const cut: (() => Promise<string>)[] = [];
  for (let i = 0; i < count; i++) {
    const { id } = await http.session({}, { owner });
    const upload = await http.service.transfers.upload(id, 'f', { resumable: true, coded }, call());
    await upload.write(BEGINNING);
    upload.pause();
    const which = { transfer: upload.transfer, path: 'f', options: {} };
    cut.push(async () => {
      try {
        (await http.service.transfers.resume(id, which, call())).pause();
        return 'kept';
      } catch (error) {
        return (error as { code: string }).code;
      }
    });
  }
  return cut;
}

const states = async (cut: readonly (() => Promise<string>)[]) => {
  const found: string[] = [];
  for (const resume of cut) found.push(await resume());
  return found;
};

test('of compressed uploads that are cut, each with megabytes of what its decoder knows, a key keeps its newest few', async () => {
  const mine = await cutUploads('alice', 7);
  expect(await states(mine)).toEqual([...Array(3).fill('NOT_FOUND'), ...Array(4).fill('kept')]);
  for (const key of ['bob', 'carol', 'dave']) await cutUploads(key, 4);
  // There is no more room, and nobody loses what is theirs for another.
  expect(await states(await cutUploads('eve', 2))).toEqual(['NOT_FOUND', 'NOT_FOUND']);
  expect(await states(mine.slice(3))).toEqual(Array(4).fill('kept'));
});

test('a session that ends gives up those that were cut', async () => {
  const owner = ownerOf('frank');
  const call = http.call({ owner, client: owner });
  const { id, close } = await http.session({}, { owner });
  const { files } = http.runtime.sandboxes.at(-1)!;
  const openWrite = files.openWrite.bind(files);
  let aborted = 0;
  files.openWrite = async (path, options) => ({
    ...(await openWrite(path, options)),
    abort: () => aborted++,
  });
  const upload = await http.service.transfers.upload(id, 'f', { resumable: true }, call);
  upload.pause();
  expect(aborted).toBe(0);
  await close();
  await vi.waitFor(() => expect(aborted).toBe(1), { timeout: 15_000 });
});
