import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, inject, test } from 'vitest';

/** Programs for people to start from, each run as it is against the real service. */
const EXPECTED: Readonly<Record<string, string>> = {
  'agent.mjs': 'execute_code run_command write_file read_file list_files create_session close_session\n42\n',
  'ai-sdk.mjs': '328350\n',
  'e2b.mjs': '42 2\n',
  'cancel.mjs': 'cancelled\n-32800\n10\n',
  'client.py': '42\n2\n4\n6\nnonzero_exit ZeroDivisionError\n',
  'client.mjs': '42\n2\n4\n6\nnonzero_exit ZeroDivisionError\n',
  'files.py': "ONE TWO THREE\nb'\\x00\\xff'\n",
  'plot.py': 'plot.png is a PNG: True\n',
  'notebook.mjs': 'before\n42\n',
  'one-shot.mjs': 'ok 0\n42\n',
  'follow.mjs': 'one\ntwo\nthree\ncompleted\n',
  'reconnect.mjs': 'completed\n1 2 3 4 5\n',
  'transfer.mjs': '1 5000000\ncreated /workspace/site\ncreated /workspace/site/index.html\ntrue true\n',
  'terminal.mjs': 'exit code: 0\n',
  'session.py': "42\n['data.csv']\nFalse ZeroDivisionError: division by zero\n",
};
/** Where our client in Python lies. */
const PYTHON = {
  PYTHONPATH: join(import.meta.dirname, '../../src/client/python'),
  PYTHONDONTWRITEBYTECODE: '1',
};
const run = promisify(execFile);

test('every example is run here', () => {
  const examples = readdirSync(import.meta.dirname).filter(name => !name.endsWith('.test.ts'));
  expect(examples.sort()).toEqual(Object.keys(EXPECTED).sort());
});

for (const [name, printed] of Object.entries(EXPECTED))
  test(`${name} prints what it promises`, async () => {
    const program = name.endsWith('.py') ? '/usr/bin/python3' : process.execPath;
    const env = { ...process.env, CODEBEAKER_URL: inject('server').url, ...PYTHON };
    const cwd = await mkdtemp(join(tmpdir(), 'codebeaker-example-'));
    const { stdout } = await run(program, [join(import.meta.dirname, name)], { env, cwd });
    expect(stdout).toBe(printed);
    await rm(cwd, { recursive: true });
  });
