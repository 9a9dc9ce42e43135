import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, inject, test } from 'vitest';

/** Programs for people to start from, each run as it is against the real service. */
const EXPECTED: Readonly<Record<string, string>> = {
  'one-shot.mjs': 'ok 0\n42\n',
  'follow.mjs': 'one\ntwo\nthree\ncompleted\n',
  'reconnect.mjs': 'completed\n1 2 3 4 5\n',
  'session.py': "42\n['data.csv']\nFalse ZeroDivisionError: division by zero\n",
};
const run = promisify(execFile);

test('every example is run here', () => {
  const examples = readdirSync(import.meta.dirname).filter(name => !name.endsWith('.test.ts'));
  expect(examples.sort()).toEqual(Object.keys(EXPECTED).sort());
});

test.each(Object.entries(EXPECTED))('%s prints what it promises', async (name, printed) => {
  const program = name.endsWith('.py') ? '/usr/bin/python3' : process.execPath;
  const env = { ...process.env, CODEBEAKER_URL: inject('server').url };
  const { stdout } = await run(program, [join(import.meta.dirname, name)], { env });
  expect(stdout).toBe(printed);
});
