import { describe, expect, inject, test } from 'vitest';
import { lentSession } from '../support/lent-session.ts';
import { matrix } from '../support/matrix.ts';

/** A Python cell that exits has the code that the same program has by hand, and its interpreter stays. */
const server = inject('server');
const cells = (await matrix()).filter(({ dialect }) => dialect === 'python');

const FAILING = [
  ['sys.exit(3)', 3, ''],
  ['exit(5)', 5, ''],
  ['raise SystemExit(-1)', 255, ''],
  ['sys.exit("why not")', 1, 'why not\n'],
  ['sys.exit([1, 2])', 1, '[1, 2]\n'],
  ['import asyncio; await asyncio.sleep(0); sys.exit(4)', 4, ''],
  ['1 / 0', 1, ''],
] as const;
const SUCCEEDING = ['sys.exit()', 'sys.exit(0)', 'quit()', 'raise SystemExit', 'sys.exit(256)'];

describe.for(cells)('a cell of $language on $runtimeType', ({ language, runtimeType }) => {
  test('ends with the code that it exits with', async () => {
    await using session = await lentSession(server.wsUrl, { language, runtimeType });
    await session.prints('import sys\nkept = 1');
    for (const [code, exitCode, stderr] of FAILING) {
      const { success, result } = await session.cell(`print('before')\n${code}`);
      expect({ code, success, ...result }).toMatchObject({
        code,
        success: false,
        exitCode,
        stderr,
        stdout: 'before\n',
        outcome: 'nonzero_exit',
      });
    }
    for (const code of SUCCEEDING) {
      const { success, error, result } = await session.cell(`${code}\nprint('never')`);
      expect({ code, success, error, ...result }).toMatchObject({
        code,
        success: true,
        error: null,
        exitCode: 0,
        stdout: '',
        outcome: 'ok',
      });
    }
    expect(await session.prints('print(kept)')).toBe('1\n');
  });

  test('gives a child that it forked its code too', async () => {
    await using session = await lentSession(server.wsUrl, { language, runtimeType });
    const ends = `
import os, sys
for leave in lambda: sys.exit(6), lambda: 1 / 0, lambda: sys.exit(None):
    child = os.fork()
    if child == 0: leave()
    print(os.waitpid(child, 0)[1] >> 8)`;
    const { stdout, stderr } = await session.done('execute_code', { code: ends });
    expect(stdout).toBe('6\n1\n0\n');
    expect(stderr).toContain('ZeroDivisionError');
  });
});
