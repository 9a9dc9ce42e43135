import { describe, expect, inject, test } from 'vitest';
import { lentSession } from '../support/lent-session.ts';
import { available, sandboxes } from '../support/matrix.ts';
import { http } from '../support/rest-client.ts';

/** Names that programs and people use: of the machine, of the interpreter, of the language. */
const server = inject('server');
const cells = await sandboxes();

describe.for(cells)('$name', ({ language, runtimeType }) => {
  test('the machine’s own names are known, and no others', async () => {
    await using session = await lentSession(server.wsUrl, { language, runtimeType });
    const script =
      'hostname; for name in localhost sandbox; do getent ahostsv4 $name | grep -m1 STREAM; done; getent hosts example.com';
    const { stdout, exitCode } = await session.shell('sh', ['-c', script]);
    expect(stdout).toMatch(/^sandbox\n127\.0\.0\.1 +STREAM localhost\n127\.0\.1\.1 +STREAM sandbox\n$/);
    expect(exitCode).not.toBe(0);
  });
});

test.for(cells.filter(({ language, runtimeType }) => language === 'python' || runtimeType !== 'Docker'))(
  '`python` is the same as `python3` on $runtimeType',
  async ({ language, runtimeType }) => {
    await using session = await lentSession(server.wsUrl, { language, runtimeType });
    const version = async (name: string) =>
      (await session.shell(name, ['-c', 'import sys; print(sys.version, sys.prefix, sys.path[1:])'])).stdout;
    expect(await version('python')).toBe(await version('python3'));
    expect(
      (await session.shell('sh', ['-c', 'cat > main.py; python main.py'], { stdin: 'print(1)' })).stdout,
    ).toBe('1\n');
  },
);

test.for(['node', 'NodeJS'])('who says %s means Node.js where it is there', async language => {
  const there = (await available()).some(({ runtimeType }) => runtimeType === 'NodeJs');
  const code = 'console.log(process.versions.bun === undefined)';
  const { body: ran } = await http(`${server.url}/api/execution?wait=true`, 'POST', { language, code });
  expect(ran).toMatchObject(there ? { runtimeType: 'NodeJs', stdout: 'true\n' } : { outcome: 'ok' });
  const forced = { language, code, runtimeType: 'Bun' };
  const { body: other } = await http(`${server.url}/api/execution?wait=true`, 'POST', forced);
  expect(other).toMatchObject({ runtimeType: 'Bun', stdout: 'false\n' });
});
