import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

/** What of a process that has freed much is resident before and after, kilobytes. */
const PROGRAM = `
const { readFileSync } = require('node:fs');
const resident = () => {
  const status = readFileSync('/proc/self/status', 'utf8');
  const of = name => Number(new RegExp(name + ':\\\\s+(\\\\d+)').exec(status)[1]);
  return { own: of('RssAnon'), files: of('RssFile') };
};
let buffers = Array.from({ length: 1500 }, () => Buffer.allocUnsafeSlow(20_000).fill(1));
// Above all others, so that the C library can't shrink its heap by itself.
const last = Buffer.allocUnsafeSlow(20_000).fill(1);
buffers = null;
gc();
setImmediate(async () => {
  const before = resident();
  const { trim } = await import(process.argv[1]);
  trim();
  const after = resident();
  trim();
  const { createHash } = await import('node:crypto');
  const works = createHash('sha256').update(last).digest('hex').length;
  console.log(JSON.stringify({ before, after, works }));
});
`;

test('what was freed and what only the start has used is given back, and the process goes on', async () => {
  const words = ['--expose-gc', '-e', PROGRAM, `${process.cwd()}/src/agent/trim.ts`];
  const { stdout } = await promisify(execFile)(process.execPath, words);
  const { before, after, works } = JSON.parse(stdout);
  expect(before.own - after.own).toBeGreaterThan(5000);
  expect(after.files).toBeLessThan(before.files / 2);
  expect(works).toBe(64);
});
