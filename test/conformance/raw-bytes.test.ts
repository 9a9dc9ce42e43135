import { describe, expect, inject, it } from 'vitest';
import { lentSession } from '../support/lent-session.ts';
import { compiled, runtimes, sandboxes } from '../support/matrix.ts';
import { RAW_BYTES } from '../support/programs.ts';
import { runOnce } from '../support/rest-client.ts';

const { url, wsUrl } = inject('server');
const RAW = Buffer.from(Uint8Array.from({ length: 256 }, (_, i) => i));
const BASE64 = RAW.toString('base64');
const REPLACED = RAW.toString('utf8');

/** One language for each runtime: what replaces them is the service, wherever they come from. */
describe.for(await runtimes())('bytes that are not UTF-8, of $name', ({ language, runtimeType, dialect }) => {
  it('are replaced in a reply that says so, and come whole where they are asked for', async () => {
    const request = { language, runtimeType, code: RAW_BYTES[dialect] };
    const text = await runOnce(url, request);
    expect(text).toMatchObject({ stdout: REPLACED, encodingErrors: true, stdoutBytes: 256 });
    expect(text).not.toHaveProperty('stdoutEncoding');
    const whole = await runOnce(url, { ...request, stdoutEncoding: 'base64' });
    expect(whole).toMatchObject({ stdout: BASE64, stderr: '', stdoutEncoding: 'base64', stdoutBytes: 256 });
    expect(whole).not.toHaveProperty('encodingErrors');
  });

  it('are so in cells and shell commands too', async () => {
    await using session = await lentSession(wsUrl, { language, runtimeType });
    const code = RAW_BYTES[dialect];
    expect(await session.done('execute_code', { code })).toMatchObject({
      stdout: REPLACED,
      encodingErrors: true,
    });
    const cell = await session.done('execute_code', { code, stdoutEncoding: 'base64' });
    expect(cell).toMatchObject({ stdout: BASE64, stderr: '', stdoutEncoding: 'base64' });
    expect(cell).not.toHaveProperty('encodingErrors');

    const script = 'cat raw.bin; cat raw.bin >&2';
    const text = await session.shell('sh', ['-c', script]);
    expect(text).toMatchObject({ stdout: REPLACED, stderr: REPLACED, encodingErrors: true });
    const whole = await session.shell('sh', ['-c', script], { stdoutEncoding: 'base64' });
    expect(whole).toMatchObject({ stdout: BASE64, stderr: BASE64, stdoutEncoding: 'base64' });
    const plain = await session.shell('echo', ['\u00e9 \ufffd']);
    expect(plain.stdout).toBe('\u00e9 \ufffd\n');
    expect(plain).not.toHaveProperty('encodingErrors');
  });
});

describe.for(await compiled())('the messages of a compiler, of $name', ({ language, runtimeType }) => {
  it('come in the encoding that was asked for', async () => {
    const end = await runOnce(url, {
      language,
      runtimeType,
      code: 'no such thing',
      stdoutEncoding: 'base64',
    });
    expect(end).toMatchObject({ outcome: 'compile_error', stdoutEncoding: 'base64' });
    expect(end.compile.stdoutEncoding).toBe('base64');
    const said = Buffer.from(end.stderr, 'base64').toString();
    expect(said).toMatch(/no|expected/);
    const compiler = Buffer.from(end.compile.stderr + end.compile.stdout, 'base64').toString();
    expect(said.startsWith(compiler)).toBe(true);
  });
});

describe.for(await sandboxes())('read_file on $name', ({ language, runtimeType }) => {
  it('gives bytes that are not UTF-8 as base64, or fails where text is asked for', async () => {
    await using session = await lentSession(wsUrl, { language, runtimeType });
    const write = (path: string, data: Buffer) =>
      session.done('write_file', { path, content: data.toString('base64'), encoding: 'base64' });
    const read = (path: string, more = {}) => session.done('read_file', { path, ...more });
    await write('raw.bin', RAW);
    await write('text', Buffer.from('a\u20acz'));
    await write('cut', Buffer.of(0x61, 0xef, 0xbf));
    expect(await read('raw.bin')).toEqual({ content: BASE64, bytes: 256, encoding: 'base64' });
    expect(await read('text')).toEqual({ content: 'a\u20acz', bytes: 5, encoding: 'utf8' });
    expect(await read('text', { encoding: 'base64' })).toMatchObject({ encoding: 'base64' });
    expect(await read('text', { offset: 1, length: 2 })).toEqual({
      content: '4oI=',
      bytes: 2,
      encoding: 'base64',
    });
    const refusals = [
      ['raw.bin', {}, '0x80 at byte 128'],
      ['raw.bin', { offset: 100 }, '0x80 at byte 128'],
      ['text', { offset: 2 }, '0x82 at byte 2'],
      ['cut', {}, '0xef at byte 1'],
    ] as const;
    for (const [path, more, where] of refusals) {
      const answer = await session.command('read_file', { path, encoding: 'utf8', ...more });
      expect(answer).toMatchObject({ success: false, result: null });
      expect(answer.error).toContain(`Not UTF-8: /workspace/${path} has ${where}; `);
    }
    const { client, id: sessionId } = session;
    expect(await client.call('fs.readFile', { sessionId, path: 'raw.bin' })).toMatchObject({
      encoding: 'base64',
    });
    const refused = await client.refused('fs.readFile', { sessionId, path: 'raw.bin', encoding: 'utf8' });
    expect(refused.data.code).toBe('COMMAND_FAILED');
  });
});
