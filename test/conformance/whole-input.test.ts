import { describe, expect, inject, test } from 'vitest';
import { lentSession } from '../support/lent-session.ts';
import { runtimes, startedSandboxes } from '../support/matrix.ts';
import { http } from '../support/rest-client.ts';
import { TestSession } from '../support/session.ts';

/** Standard input that came whole with its request is a regular file at its beginning; live input is a pipe. */
const server = inject('server');

/** Prints whether descriptor 0 is a file, its size and place, and twice what it holds. */
const LOOK = {
  python: `
import os, stat, sys
found = os.fstat(0)
print(stat.S_ISREG(found.st_mode), found.st_size, sys.stdin.isatty())
print(sys.stdin.read(), end='')
sys.stdin.seek(0)
print(sys.stdin.read(), end='')`,
  javascript: `
const { fstatSync, readFileSync, readSync } = require('node:fs');
const found = fstatSync(0);
console.log(found.isFile() ? 'True' : 'False', found.size, require('node:tty').isatty(0) ? 'True' : 'False');
process.stdout.write(readFileSync(0, 'utf8'));
const again = Buffer.alloc(found.size);
process.stdout.write(again.subarray(0, readSync(0, again, 0, found.size, 0)).toString());`,
};
const INPUT = 'zwölf Boxkämpfer\n';
const SEEN = `True ${Buffer.byteLength(INPUT)} False\n${INPUT}${INPUT}`;
/** By a shell's own words and programs, which every sandbox has. */
const SHELL = 'stat -L -c "%F %s" /dev/stdin; cat; cat /dev/stdin; echo x >&0';

describe.for(await runtimes())('$name', ({ language, runtimeType, dialect }) => {
  test('a one-shot, a cell and a shell command read a whole input as a file', async () => {
    const body = { language, runtimeType, code: LOOK[dialect], stdin: INPUT };
    const { body: ran } = await http(`${server.url}/api/execution?wait=true`, 'POST', body);
    expect(ran).toMatchObject({ outcome: 'ok', stdout: SEEN });
    await using session = await lentSession(server.wsUrl, { language, runtimeType });
    // The second cell reads its own and nothing of the first.
    expect(await session.prints(LOOK[dialect], { stdin: 'unread' })).toMatch(/^True 6 False/);
    expect(await session.prints(LOOK[dialect], { stdin: INPUT })).toBe(SEEN);
    const shown = await session.shell('sh', ['-c', SHELL], { stdin: INPUT });
    expect(shown.stdout).toMatch(/^regular file 19\n(zwölf Boxkämpfer\n){2}$/);
    expect(shown.stderr).not.toBe('');
    const none = await session.shell('sh', ['-c', 'cat; test -t 0'], { stdin: '' });
    expect(none).toMatchObject({ stdout: '', exitCode: 1 });
  });
});

describe.for(await startedSandboxes())('$name', ({ language, runtimeType, dialect }) => {
  test('a large input comes whole, on a disk that is full and under a small memory limit too', async () => {
    await using session = await TestSession.open(server.wsUrl, { language, runtimeType, memoryLimitMB: 128 });
    const large = 'x'.repeat(8_000_000);
    const filled = await session.shell('sh', ['-c', 'cat /dev/zero > /tmp/filler 2> /dev/null; wc -c'], {
      stdin: large,
    });
    expect(filled.stdout.trim()).toBe('8000000');
    const count = {
      python: 'print(len(__import__("sys").stdin.read()))',
      javascript: 'console.log(require("node:fs").readFileSync(0).length)',
    };
    expect((await session.prints(count[dialect], { stdin: large })).trim()).toBe('8000000');
  });
});
