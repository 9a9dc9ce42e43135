import { describe, expect, inject, test } from 'vitest';
import { runtimes } from '../support/matrix.ts';
import * as programs from '../support/programs.ts';
import { runOnce } from '../support/rest-client.ts';
import { RpcClient } from '../support/rpc-client.ts';

/** Output is complete, exact and in order, whatever its size and bytes. */
const server = inject('server');
const SIZES = [
  [0, 160_000],
  [65_536, 1],
  [304_487, 131_072],
] as const;

describe.for(await runtimes())('the output of a one-shot in $name', ({ language, runtimeType, dialect }) => {
  const run = (program: typeof programs.HELLO, more = {}) =>
    runOnce(server.url, { language, runtimeType, code: program[dialect], ...more });

  // A million of each come below. Where another interpreter prints it, or a container is brought from, the last shows as much.
  test.for(runtimeType === 'Python' ? SIZES : SIZES.slice(-1))(
    'is complete at %d bytes on stdout and %d on stderr',
    async ([out, err]) => {
      const code = `${programs.digits(out)[dialect]}\n${programs.digits(err, 'stderr')[dialect]}`;
      const end = await runOnce(server.url, { language, runtimeType, code });
      expect(end).toMatchObject({ outcome: 'ok', stdoutBytes: out, stderrBytes: err, truncated: false });
      expect(end.stdout === programs.digitsText(out)).toBe(true);
      expect(end.stderr === programs.digitsText(err)).toBe(true);
    },
  );

  test('keeps 100 000 characters of two bytes whole', async () => {
    const end = await run(programs.E_ACUTE);
    expect(end.stdoutBytes).toBe(200_000);
    expect(end.stdout === 'é'.repeat(100_000)).toBe(true);
  });

  test('may be a million bytes on stderr before the first on stdout', async () => {
    const end = await run(programs.ERR_THEN_OUT);
    expect(end).toMatchObject({ outcome: 'ok', stdoutBytes: 1_000_000, stderrBytes: 1_000_000 });
    expect(end.stdout === programs.digitsText(1_000_000)).toBe(true);
    expect(end.stderr === programs.digitsText(1_000_000)).toBe(true);
  });

  test('is kept up to a mebibyte for each stream, counted beyond it, and reaches a live client whole', async () => {
    const client = await RpcClient.connect(server.wsUrl);
    const code = programs.digits(3_000_000)[dialect];
    const end = await client.call('execution.run', { language, runtimeType, code, stream: true });
    expect(end).toMatchObject({
      status: 'completed',
      outcome: 'ok',
      truncated: true,
      stdoutBytes: 3_000_000,
      usage: { limitsHit: ['output'] },
    });
    expect(end.stdout === programs.digitsText(1 << 20)).toBe(true);
    const live = client.notifications.filter(n => n.method === 'execution.output').map(n => n.params.text);
    expect(live.join('') === programs.digitsText(3_000_000)).toBe(true);
    await client.close();
  });

  test('may be any bytes, live in base64 and in a file', async () => {
    const client = await RpcClient.connect(server.wsUrl);
    const end = await client.call('execution.run', {
      language,
      runtimeType,
      code: programs.RAW_BYTES[dialect],
      outputFiles: ['raw.bin'],
      stream: true,
    });
    const all = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    const parts = client.notifications.filter(n => n.method === 'execution.output').map(n => n.params);
    const live = parts.map(p => (p.data === undefined ? Buffer.from(p.text) : Buffer.from(p.data, 'base64')));
    expect(Buffer.concat(live).equals(all)).toBe(true);
    expect(end.stdoutBytes).toBe(256);
    expect(end.files).toEqual([{ path: 'raw.bin', content: all.toString('base64'), encoding: 'base64' }]);
    await client.close();
  });
});
