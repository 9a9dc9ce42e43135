import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { bytesOf, CodeBeaker, type Session } from '../../src/client/index.ts';

/** Our own client, as its users have it. */
const { url } = inject('server');
const client = new CodeBeaker({ url });
let session: Session;
beforeAll(async () => {
  session = await client.session({ language: 'python', metadata: { of: 'client.test' } });
});
afterAll(async () => {
  await session.close();
  client.close();
});

test('runs a program once, and one that fails is a result', async () => {
  expect(await client.run({ language: 'python', code: 'print(6 * 7)' })).toMatchObject({
    outcome: 'ok',
    stdout: '42\n',
  });
  expect(await client.run({ language: 'python', code: 'exit(3)' })).toMatchObject({ exitCode: 3 });
});

test('keeps a session’s variables from cell to cell, and gives their values', async () => {
  await session.run('x = 1');
  expect((await session.run('x + 1')).results).toEqual([{ 'text/plain': '2' }]);
  expect(await session.run('1 / 0')).toMatchObject({
    status: 'failed',
    error: { name: 'ZeroDivisionError' },
  });
});

test('gives what a cell tells as it comes, from its start to its end', async () => {
  const types: string[] = [];
  for await (const event of session.stream("print('a', flush=True); 1")) types.push(event.type);
  expect(types).toEqual(['started', 'output', 'result', 'completed']);
});

test('ends a cell and a program whose reader leaves', async () => {
  for await (const event of session.stream("print('a', flush=True)\nwhile True: pass"))
    if (event.type === 'output') break;
  expect(await session.run('1')).toMatchObject({ status: 'completed' });
  let id = '';
  for await (const event of client.stream({ language: 'python', code: 'while True: pass' }))
    if (event.type === 'started') {
      id = event.executionId;
      break;
    }
  expect((await client.follow(id).result()).outcome).toBe('cancelled');
});

test('ends what a signal aborts, with its reason', async () => {
  const enough = new Error('enough');
  const run = session.run('while True: pass', { signal: AbortSignal.abort(enough) });
  await expect(run).rejects.toBe(enough);
  const aborted = new AbortController();
  const sleeper = await session.spawn('sleep', ['100'], { signal: aborted.signal });
  aborted.abort(enough);
  expect((await sleeper.result()).outcome).toBe('cancelled');
  const once = client.run({ language: 'python', code: 'pass' }, { signal: AbortSignal.abort(enough) });
  await expect(once).rejects.toBe(enough);
});

test('writes to a program’s standard input, bytes as well, and ends it', async () => {
  const run = await session.spawn('cat', [], { interactive: true });
  await run.input('é');
  await run.input(new Uint8Array([0xff]), { eof: true });
  const bytes: number[] = [];
  for await (const event of run) if (event.type === 'output') bytes.push(...bytesOf(event));
  expect(bytes).toEqual([0xc3, 0xa9, 0xff]);
  expect(await run.result()).toMatchObject({ exitCode: 0 });
});

test('types to a terminal, of a size', async () => {
  const run = await session.terminal('sh', [], { cols: 100, rows: 30 });
  await run.input('stty size; exit 4\n');
  let shown = '';
  for await (const event of run) if (event.type === 'output') shown += event.text;
  expect(shown).toContain('30 100');
  expect((await run.result()).exitCode).toBe(4);
});

test('signals a program', async () => {
  const run = await session.spawn('sleep', ['100']);
  await run.signal('SIGTERM');
  expect(await run.result()).toMatchObject({ outcome: 'signalled', signal: 'SIGTERM' });
});

test('moves files of any name, as text and as bytes', async () => {
  const bytes = Uint8Array.from({ length: 2 ** 20 + 1 }, (_, i) => (i * 7) % 256);
  await session.write('dir/ä b#?.bin', bytes);
  expect(Buffer.compare(await session.read('dir/ä b#?.bin'), bytes)).toBe(0);
  await session.write('dir/text', 'grün');
  expect(await session.readText('dir/text')).toBe('grün');
  expect((await session.list('dir')).map(({ name }) => name).sort()).toEqual(['text', 'ä b#?.bin']);
  expect(await session.execute({ type: 'stat', path: 'dir/text' })).toMatchObject({ size: 5 });
});

test('says what was refused, and which field is wrong', async () => {
  await expect(session.read('../../session')).rejects.toMatchObject({ code: 'VALIDATION_ERROR' });
  await expect(session.read('missing')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  const missing = session.execute({ type: 'read_file', path: 'missing' });
  await expect(missing).rejects.toMatchObject({
    name: 'CodeBeakerError',
    code: 'COMMAND_FAILED',
    message: 'File not found: /workspace/missing',
  });
  await expect(session.run('')).rejects.toMatchObject({ code: 'VALIDATION_ERROR', field: 'command.code' });
  const missingProgram = await session.shell('no-such-program');
  expect(missingProgram).toMatchObject({
    status: 'failed',
    message: expect.stringContaining('no-such-program'),
  });
  await expect(client.attach('../../gone').run('1')).rejects.toMatchObject({ code: 'SESSION_NOT_FOUND' });
  const unknown = client.run({ language: 'klingon', code: '1' });
  await expect(unknown).rejects.toMatchObject({ code: 'UNSUPPORTED_LANGUAGE' });
  const install = session.install(['https://example.com/x.whl']);
  await expect(install).rejects.toThrow(/^command\.packages\[0\]: /);
});

test('follows what another client has started', async () => {
  const run = await session.spawn('sh', ['-c', 'echo one; echo two; exec sleep 100']);
  const other = new CodeBeaker({ url });
  let text = '';
  for await (const event of other.attach(session.id).follow(run.id)) {
    if (event.type === 'output') text += event.text;
    if (text === 'one\ntwo\n') break;
  }
  await run.cancel();
  expect(await other.attach(session.id).follow(run.id).result()).toMatchObject({
    outcome: 'cancelled',
    stdout: text,
  });
  await session.run('y = 2');
  expect((await other.attach(session.id).run('y')).results).toEqual([{ 'text/plain': '2' }]);
  other.close();
});

test('lists sessions and languages, and closes a session twice as well', async () => {
  const found = [];
  for await (const info of client.sessions()) if (info.sessionId === session.id) found.push(info);
  expect(found).toMatchObject([{ config: { metadata: { of: 'client.test' } } }]);
  expect((await client.languages()).map(({ name }) => name)).toContain('python');
  const short = await client.session({ language: 'python' });
  await short.close();
  await short.close();
});

test('says that nobody answers', async () => {
  const nobody = new CodeBeaker({ url: 'http://127.0.0.1:1' });
  await expect(nobody.languages()).rejects.toMatchObject({ code: 'UNREACHABLE' });
  await expect(nobody.attach('any').run('1')).rejects.toMatchObject({ code: 'UNREACHABLE' });
});
