import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { CodeBeaker, type Session } from '../../src/client/index.ts';
import { CuttingProxy } from '../support/cutting-proxy.ts';
import { numbersFrom } from '../support/numbers-from.ts';

/** Our own client: files of any size, watches and ports, over connections that are lost. */
const ROOT = join(import.meta.dirname, '../..');
const { url } = inject('server');
const beside = new CodeBeaker({ url });
const DATA = Uint8Array.from({ length: 9_000_001 }, (_, at) => at % 251);
/** How often a connection is cut in the middle of a file; by hand with more. */
const CUTS = Number(process.env.CODEBEAKER_CUTS ?? 5);
const SEED = Number(process.env.CODEBEAKER_FUZZ_SEED ?? 1);
/** Where, by the numbers of a seed: in order, and before the last of the pieces that a file comes in. */
function pointsOf(seed: number): number[] {
  const random = numbersFrom(seed);
  return Array.from({ length: CUTS }, () => random() * (DATA.byteLength - 2 * 1024 * 1024)).sort(
    (a, b) => a - b,
  );
}
let proxy: CuttingProxy;
let client: CodeBeaker;
let session: Session;
/** The same session, by a way that is not cut. */
let other: Session;
beforeAll(async () => {
  proxy = await CuttingProxy.open(url);
  client = new CodeBeaker({ url: proxy.url, patience: 60_000 });
  session = await client.session({ language: 'python' });
  other = beside.attach(session.id);
});
afterAll(async () => {
  await other.close();
  client.close();
  beside.close();
  await proxy[Symbol.asyncDispose]();
});

test('the example is the same on Bun and Deno', async () => {
  const on = async (program: string, ...flags: string[]) => {
    const env = { ...process.env, CODEBEAKER_URL: url, NO_COLOR: '1' };
    const file = join(ROOT, 'test/examples/transfer.mjs');
    return (await promisify(execFile)(join(ROOT, 'node_modules/.bin', program), [...flags, file], { env }))
      .stdout;
  };
  const both = await Promise.all([on('bun'), on('deno', 'run', '-A')]);
  const printed = '1 5000000\ncreated /workspace/site\ncreated /workspace/site/index.html\ntrue true\n';
  expect(both).toEqual([printed, printed]);
});

test(`a file goes on where its connection was lost, ${CUTS} times there and as often back`, {
  timeout: 60_000 + CUTS * 4000,
}, async () => {
  const told: number[] = [];
  const points = pointsOf(SEED);
  await session.upload('data.bin', DATA, {
    mode: 0o640,
    onProgress: ({ bytes, totalBytes }) => {
      if (bytes > (points[0] ?? Number.POSITIVE_INFINITY)) {
        points.shift();
        proxy.cut();
      }
      told.push(bytes / totalBytes);
    },
  });
  expect(told.at(-1)).toBe(1);
  expect(points).toEqual([]);
  const back = pointsOf(SEED + 1);
  const pieces: Uint8Array[] = [];
  let come = 0;
  for await (const piece of session.download('data.bin', { offset: 1 })) {
    pieces.push(piece);
    come += piece.byteLength;
    if (come < (back[0] ?? Number.POSITIVE_INFINITY)) continue;
    back.shift();
    proxy.cut();
  }
  expect(back).toEqual([]);
  expect(Buffer.concat(pieces).equals(DATA.subarray(1))).toBe(true);
  const { stdout } = await other.shell('stat', ['-c', '%a %s', 'data.bin']);
  expect(stdout).toBe(`640 ${DATA.byteLength}\n`);
  const part: number[] = [];
  for await (const piece of session.download('data.bin', { offset: 250, length: 3 })) part.push(...piece);
  expect(part).toEqual([250, 0, 1]);
});

test('a file that changes while it is read is no mixture of both, and what is not there is said', async () => {
  await other.upload('changing.bin', DATA);
  const read = async () => {
    let isCut = false;
    for await (const _ of session.download('changing.bin')) {
      if (isCut) continue;
      await other.shell('touch', ['-d', '2001-01-01', 'changing.bin']);
      proxy.cut();
      isCut = true;
    }
  };
  await expect(read()).rejects.toMatchObject({
    code: 'CONFLICT',
    message: expect.stringContaining('changed'),
  });
  await expect(session.download('missing').next()).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test('an upload that is aborted changes nothing', async () => {
  const aborted = new AbortController();
  const enough = new Error('enough');
  const upload = session.upload('aborted.bin', DATA, {
    signal: aborted.signal,
    onProgress: () => aborted.abort(enough),
  });
  await expect(upload).rejects.toBe(enough);
  expect((await other.list()).map(({ name }) => name)).not.toContain('aborted.bin');
});

test('a watch whose connection was lost says that something may be missed, and goes on; it ends with what it watches', async () => {
  await other.execute({ type: 'create_directory', path: 'watched' });
  const changes = await session.watch('watched');
  const told = async (event: string) => {
    for (;;) {
      const { type, path } = (await changes.next()).value!;
      if (`${type} ${path}` === event) return;
    }
  };
  await other.write('watched/a', '');
  await told('created /workspace/watched/a');
  proxy.cut();
  await told('overflow /workspace/watched');
  await other.write('watched/b', '');
  await told('created /workspace/watched/b');
  await other.shell('rm', ['-r', 'watched']);
  const rest = [];
  for await (const { type } of changes) rest.push(type);
  expect(rest.at(-1)).toBe('ended');
});

test('what listens is told, also what came while the connection was lost, and an exposed port has an address', async () => {
  const ports = await session.portEvents();
  const serve = (port: number) => other.spawn('python3', ['-m', 'http.server', `${port}`]);
  const first = await serve(8001);
  expect((await ports.next()).value).toEqual({ type: 'opened', port: 8001 });
  proxy.cut({ refuse: true });
  await serve(8002);
  await expect.poll(async () => (await other.ports()).map(({ port }) => port)).toEqual([8001, 8002]);
  proxy.mend();
  expect((await ports.next()).value).toEqual({ type: 'opened', port: 8002 });
  await first.cancel();
  expect((await ports.next()).value).toEqual({ type: 'closed', port: 8001 });
  await ports.return();
  const { url: address } = await other.expose(8002, { public: true });
  expect(await other.ports()).toMatchObject([{ port: 8002, exposed: true, url: address }]);
  await other.unexpose(8002);
  expect(await other.ports()).toMatchObject([{ port: 8002, exposed: false, url: null }]);
  await expect(other.unexpose(8002)).rejects.toMatchObject({
    code: 'NOT_FOUND',
  });
});
