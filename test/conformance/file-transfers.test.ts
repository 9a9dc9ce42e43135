import { createHash, randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, inject, it } from 'vitest';
import { DataClient } from '../support/data-client.ts';
import { sandboxes } from '../support/matrix.ts';
import { TestSession } from '../support/session.ts';

const { url, wsUrl } = inject('server');
const DATA = randomBytes(3 * 1024 * 1024 + 11);
const DIGEST = createHash('sha256').update(DATA).digest('hex');

describe.for(await sandboxes())('files over HTTP on $runtimeType', ({ language, runtimeType }) => {
  it('are what programs see, whatever their size, and stay within the disk', async () => {
    await using session = await TestSession.open(wsUrl, { language, runtimeType, memoryLimitMB: 64 });
    const at = (path: string) => `${url}/api/session/${session.id}/files/${path}`;
    const put = (path: string, body: Uint8Array<ArrayBuffer> | string, headers = {}) =>
      fetch(at(path), { method: 'PUT', body, headers });
    const digest = `sha-256=:${Buffer.from(DIGEST, 'hex').toString('base64')}:`;
    const made = await put('in/data.bin', DATA, { 'content-digest': digest, 'x-file-mode': '600' });
    expect(made.status).toBe(201);
    const seen = await session.shell('sh', ['-c', 'sha256sum in/data.bin; stat -c %a in/data.bin; ls -A']);
    expect(seen.stdout).toBe(`${DIGEST}  in/data.bin\n600\nin\n`);
    await session.shell('sh', ['-c', 'cp in/data.bin out.bin; mkfifo fifo; ln -s /etc/passwd out']);
    const got = await fetch(at('out.bin'));
    const bytes = Buffer.from(await got.arrayBuffer());
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(DIGEST);
    const tail = await fetch(at('out.bin'), { headers: { range: 'bytes=-11' } });
    expect(Buffer.from(await tail.arrayBuffer()).equals(DATA.subarray(-11))).toBe(true);
    for (const path of ['fifo', 'out', 'none/x']) {
      const { status } = await fetch(at(path));
      expect([path, status]).toEqual([path, { fifo: 409, out: 422, 'none/x': 404 }[path]]);
    }
    // Its disk is half its memory.
    const large = new Uint8Array(40 * 1024 * 1024);
    expect((await put('in/data.bin', large)).status).toBe(507);
    const chunked = new ReadableStream({
      pull(controller) {
        controller.enqueue(large.subarray(0, 1024 * 1024));
      },
    });
    const refused = fetch(at('in/data.bin'), { method: 'PUT', body: chunked, duplex: 'half' } as RequestInit);
    // The answer comes before all of the body has gone, which some clients take for a broken connection.
    expect(
      await refused.then(
        ({ status }) => status,
        () => 507,
      ),
    ).toBe(507);
    const after = await session.shell('sh', ['-c', 'sha256sum in/data.bin; ls -A']);
    expect(after.stdout).toBe(`${DIGEST}  in/data.bin\nfifo\nin\nout\nout.bin\n`);
    expect((await put('in/data.bin', 'x')).status).toBe(204);
    // The same over /ws/data, cut in the middle.
    const one = await DataClient.connect(url.replace('http', 'ws'));
    const message = { id: 1, sessionId: session.id, path: 'in/data.bin', size: DATA.length, sha256: DIGEST };
    one.say({ op: 'upload', ...message });
    const { transfer: resume } = await one.answer(1);
    await one.send(1, resume, 0, DATA.subarray(0, 1_000_000), 100_000);
    await one.cut();
    const other = await DataClient.connect(url.replace('http', 'ws'));
    expect(await other.upload({ ...message, resume }, DATA)).toMatchObject({ op: 'done', sha256: DIGEST });
    const { end, data } = await other.download({ id: 2, sessionId: session.id, path: 'in/data.bin' });
    expect([data.equals(DATA), end.sha256]).toEqual([true, DIGEST]);
    // Two at once of one path are whole, each of them, and the one that ends last has its place.
    const [byHttp, byData] = ['h', 'd'].map(letter => Buffer.alloc(DATA.length, letter)) as [Buffer, Buffer];
    for (const [i, last] of [byHttp, byData].entries()) {
      const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
      const writer = writable.getWriter();
      const putting = fetch(at('rivals'), { method: 'PUT', body: readable, duplex: 'half' } as RequestInit);
      await writer.write(byHttp.subarray(0, 1_000_000));
      other.say({ op: 'upload', id: `r${i}`, sessionId: session.id, path: 'rivals', size: byData.length });
      const { transfer } = await other.answer(`r${i}`);
      await other.send(`r${i}`, transfer, 0, byData.subarray(0, 1_000_000));
      const endHttp = async () => {
        await writer.write(byHttp.subarray(1_000_000));
        await writer.close();
        expect((await putting).status).toBe(204);
      };
      const endData = async () => {
        await other.send(`r${i}`, transfer, 1_000_000, byData.subarray(1_000_000));
        expect(await other.answer(`r${i}`)).toMatchObject({ op: 'done', bytes: byData.length });
      };
      for (const end of last === byData ? [endHttp, endData] : [endData, endHttp]) await end();
      const there = Buffer.from(await (await fetch(at('rivals'))).arrayBuffer());
      expect(there.equals(last)).toBe(true);
    }
    await other.cut();
    expect((await fetch(at('in?recursive=true'), { method: 'DELETE' })).status).toBe(204);
  });

  it('come and go as whole directories, which stay where they are put', async () => {
    await using session = await TestSession.open(wsUrl, { language, runtimeType, memoryLimitMB: 128 });
    const at = (path: string) => `${url}/api/session/${session.id}/files${path}`;
    const seen = (directory: string) =>
      session
        .shell('sh', [
          '-c',
          `cd ${directory} && find . | xargs stat -c '%N %s %a %Y' | grep -v "'[.]'" | sort`,
        ])
        .then(({ stdout }) => stdout);
    await session.shell('sh', [
      '-c',
      "mkdir -p t/a/empty t/shut; echo x > t/a/f; ln -s /etc/passwd t/out; mkfifo t/pipe; chmod 500 t/shut; head -c 3000000 /dev/zero > t/big; touch -d '2001-02-03' t/a",
    ]);
    const before = await seen('t');
    expect((await fetch(at('/t'), { method: 'HEAD' })).headers.get('content-type')).toBe('application/x-tar');
    const got = await fetch(at('/t'));
    expect(got.headers.get('content-disposition')).toBe('attachment; filename="t.tar"');
    const archive = new Uint8Array(await got.arrayBuffer());
    const put = (path: string, body: Uint8Array<ArrayBuffer>, headers = {}) =>
      fetch(at(path), { method: 'PUT', body, headers: { 'content-type': 'application/x-tar', ...headers } });
    expect((await put('/new/one', archive)).status).toBe(201);
    expect((await put('/new/one/', archive)).status).toBe(204);
    expect(await seen('new/one')).toBe(before);
    await session.shell('sh', ['-c', 'chmod 700 t/shut; rm -r t new; touch old']);
    const zipped = new Uint8Array(gzipSync(archive));
    expect((await put('', zipped, { 'content-encoding': 'gzip' })).status).toBe(204);
    const whole = new Uint8Array(await (await fetch(at(''))).arrayBuffer());
    expect((await put('/copy', whole)).status).toBe(201);
    expect((await session.shell('sh', ['-c', 'ls copy; rm -r copy/big; ls'])).stdout).toBe(
      'a\nbig\nold\nout\npipe\nshut\na\nbig\ncopy\nold\nout\npipe\nshut\n',
    );

    const { status, statusText } = await put('/copy', archive.subarray(0, 5000));
    expect([status, statusText]).toEqual([422, 'Unprocessable Entity']);
    expect((await put('/big', archive)).status).toBe(409);
    expect((await fetch(at(''), { method: 'PUT', body: archive })).status).toBe(415);
    expect((await put('/copy', archive, { 'if-match': '*' })).status).toBe(400);
    // More than its disk has room for.
    await session.shell('sh', ['-c', 'rm -r copy; cat /dev/zero > filler 2> /dev/null; true']);
    expect((await put('/copy', archive)).status).toBe(507);
  });
});
