import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { cli, startCli } from '../support/cli.ts';

/** `codebeaker run`, as its users have it. */
const env = { CODEBEAKER_URL: inject('server').url };
let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'cli-run-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

const save = (name: string, code: string): string => {
  const path = join(directory, name);
  writeFileSync(path, code);
  return path;
};

test('a program gets arguments, variables and standard input, bytes as they are, and its exit code is passed on', async () => {
  const file = save(
    'main.py',
    `import os, sys
data = sys.stdin.buffer.read()
sys.stdout.buffer.write(data[::-1])
print(sys.argv[1:], os.environ['A'], len(data), file=sys.stderr)
sys.exit(3)`,
  );
  // More than the socket, the pipe and a message hold, and no UTF-8.
  const input = Buffer.alloc(300_000, Buffer.from([0xff, 0x00, 0x0a]));
  const { code, bytes, stderr } = await cli(['run', file, '--env', 'A=b c', '--', '--json', '-x'], {
    env,
    input,
  });
  expect([code, stderr]).toEqual([3, "['--json', '-x'] b c 300000\n"]);
  expect(bytes.equals(input.reverse())).toBe(true);
});

test('a program comes by standard input, and its result as JSON', async () => {
  const input = 'console.log("é", require("fs").readFileSync(0, "utf8").length); process.exit(4)';
  const { code, stdout, stderr } = await cli(['run', '-', '-l', 'js', '--runtime', 'nodejs', '--json'], {
    env,
    input,
  });
  expect([code, stderr]).toEqual([4, '']);
  expect(JSON.parse(stdout)).toMatchObject({ exitCode: 4, stdout: 'é 0\n', outcome: 'nonzero_exit' });
});

test('a time limit is told and ends with 124, and what is refused with 64', async () => {
  const [late, refused] = await Promise.all([
    cli(['run', save('late.py', 'while True: pass'), '--timeout', '1'], { env }),
    cli(['run', '-', '-l', 'pyhton'], { env, input: 'pass' }),
  ]);
  expect(late).toMatchObject({
    code: 124,
    stderr: expect.stringMatching(/^codebeaker: it was ended after .*_timeout/),
  });
  expect(refused).toMatchObject({ code: 64, stderr: expect.stringContaining('pyhton') });
});

test('Ctrl-C cancels the program, whose output comes before its end', async () => {
  const child = startCli(['run', save('waits.py', 'print("began", flush=True)\ninput()')], env);
  const [first] = await once(child.stdout, 'data');
  expect(String(first)).toBe('began\n');
  child.kill('SIGINT');
  expect(await once(child, 'close')).toEqual([130, null]);
});
