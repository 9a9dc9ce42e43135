import { describe, expect, inject, test } from 'vitest';
import { lentSession } from '../support/lent-session.ts';
import { matrix } from '../support/matrix.ts';
import { runOnce } from '../support/rest-client.ts';
import { TestSession } from '../support/session.ts';

/** Packages from the index that this machine's own pip uses: one tiny one, and one that a distribution rarely has. */
const { url, wsUrl } = inject('server');
const WHERE = 'import tabulate; print(tabulate.__file__)';
const FOUND = '/home/sandbox/.packages/python/tabulate/__init__.py\n';
const PACKAGES = ['tabulate==0.9.0'];

const rows = (await matrix()).filter(({ language }) => language === 'python');

describe.each(rows)('packages in $name', ({ language, runtimeType }) => {
  const where = { language, runtimeType };

  test('are there for a program, which has no network, and cost it nothing the second time', async () => {
    const config = { packages: PACKAGES };
    const code = `
import mmap, socket, os, tabulate
try: socket.create_connection(('127.0.0.1', 3128), 2)
except OSError as error: print(error.errno)
print(tabulate.__file__)
try: os.listdir('/packages')
except OSError as error: print(error.errno)
real = os.path.realpath(os.path.dirname(tabulate.__file__))
for write in (lambda: open(real + '/x', 'w'), lambda: os.rename(real, real + 'x'), lambda: os.chmod(real, 0o777)):
  try: write(); print('written')
  except OSError as error: print(error.errno)
try: mmap.mmap(os.open(tabulate.__file__, os.O_RDONLY), 0, prot=mmap.PROT_READ | mmap.PROT_WRITE); print('written')
except OSError as error: print(error.errno)
print([line.split(' - ')[1].split(',')[1] for line in open('/proc/self/mountinfo') if ' /packages ' in line])`;
    const [ECONNREFUSED, EACCES, EROFS] = [111, 13, 30];
    const first = await runOnce(url, { ...where, code, config });
    expect(first).toMatchObject({ status: 'completed', stderr: '' });
    expect(first.stdout.split('\n').slice(0, 8)).toEqual(
      [
        ECONNREFUSED,
        FOUND.trim(),
        EACCES,
        EROFS,
        EROFS,
        EROFS,
        EACCES,
        // An engine mounts it from where its volumes lie.
        runtimeType === 'Docker' ? expect.any(String) : "['lowerdir=/layers/packages:/layers/empty']",
      ].map(each => (typeof each === 'number' ? String(each) : each)),
    );
    const again = await runOnce(url, { ...where, code: WHERE, config });
    expect(again).toMatchObject({ status: 'completed', stdout: FOUND });
  });

  test('are there for cells, shells and what they start, from the moment they are installed', async () => {
    await using session = await TestSession.open(wsUrl, { ...where, memoryLimitMB: 64 });
    expect((await session.cell(WHERE)).error).toContain('No module named');
    await session.done('execute_shell', {
      commandName: 'sh',
      args: ['-c', `until python3 -c '${WHERE}' > /tmp/late 2>/dev/null; do sleep 0.05; done`],
      background: true,
    });
    const before = await session.done('list_directory', { path: '.' });
    const install = { command: { type: 'install_packages', packages: PACKAGES }, sessionId: session.id };
    const answer = await session.client.call('session.execute', { ...install, stream: true });
    expect(answer).toMatchObject({
      success: true,
      result: {
        manager: 'uv',
        installed: [
          { name: 'tabulate', version: '0.9.0', digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) },
        ],
        restartNeeded: [],
      },
    });
    expect(await session.prints(WHERE)).toBe(FOUND);
    expect(await session.prints(WHERE, { context: 'another' })).toBe(FOUND);
    expect((await session.shell('python3', ['-I', '-c', WHERE])).stdout).toBe(FOUND);
    expect((await session.shell('env', ['-i', '/usr/local/bin/python', '-c', WHERE])).stdout).toBe(FOUND);
    expect((await session.shell('tabulate', ['--help'])).stdout).toContain('Pretty-print tabular data');
    expect(await session.prints('import subprocess; print(subprocess.getoutput("which tabulate"))')).toBe(
      '/home/sandbox/.packages/python/bin/tabulate\n',
    );
    await expect.poll(async () => (await session.shell('cat', ['/tmp/late'])).stdout).toBe(FOUND);
    expect(await session.done('list_directory', { path: '.' })).toEqual(before);
    // Another version takes its place; what was imported stays.
    const newer = await session.done('install_packages', { packages: ['tabulate==0.8.10'] });
    expect(newer).toMatchObject({ restartNeeded: ['tabulate'], installed: [{ version: '0.8.10' }] });
    const version = 'import tabulate; print(tabulate.__version__)';
    expect(await session.prints(version)).toBe('0.9.0\n');
    await session.done('restart_context', {});
    expect(await session.prints(version)).toBe('0.8.10\n');
    // What fails changes nothing.
    const failed = await session.command('install_packages', { packages: ['tabulate==0.0.1'] });
    expect(failed).toMatchObject({
      success: false,
      result: { outcome: 'install_error', reason: 'not_found' },
    });
    expect((await session.shell('python3', ['-c', version])).stdout).toBe('0.8.10\n');
    await session.done('write_file', {
      path: 'requirements.txt',
      content: '# what we need\ntabulate>=0.9 # tables\n',
    });
    await session.done('install_packages', { requirementsFile: 'requirements.txt' });
    expect((await session.shell('python3', ['-c', version])).stdout).not.toBe('0.8.10\n');
  });

  test('are there from the start of a session and for a cell, and shadow nothing of Python’s own', async () => {
    await using session = await TestSession.open(wsUrl, { ...where, packages: PACKAGES });
    expect(await session.prints(WHERE)).toBe(FOUND);
    const order = `
import sys, json
at = sys.path.index('/home/sandbox/.packages/python')
print(sys.path.index(json.__file__.rpartition('/json/')[0]) < at, all('-packages' not in p for p in sys.path[:at]))`;
    expect(await session.prints(order)).toBe('True True\n');
    const cell = await session.cell('import colorama; print(colorama.__name__)', {
      packages: ['colorama==0.4.6'],
    });
    expect(cell.result.stdout).toBe('colorama\n');
  });

  // Why there is none is the index's to say, whatever asked: a session's command is told it in a container too.
  if (runtimeType === 'Docker') return;
  test('that can not be had say why, and nothing runs', async () => {
    const config = { packages: [...PACKAGES, 'tabulate-of-nobody-at-all==1'] };
    const end = await runOnce(url, { ...where, code: 'print("ran")', config });
    expect(end).toMatchObject({ status: 'failed', outcome: 'install_error', stdout: '', startedAt: null });
    expect(end.stderr).toMatch(/^There is no package tabulate-of-nobody-at-all \(not_found\)\n/);
    await using session = await lentSession(wsUrl, where);
    const bad = await session.cell('print("ran")', { packages: ['colorama==0.0.0'] });
    expect(bad).toMatchObject({ success: false, result: null });
    expect(bad.error).toContain('(not_found)');
  });
});

test('numpy and pandas are imported in a session of 128 MB, whose memory they are not', async () => {
  const where = { language: 'python', runtimeType: 'Python', memoryLimitMB: 128 };
  // As the example that draws asks for them: whoever comes later has the layer of whoever came first.
  await using session = await TestSession.open(wsUrl, { ...where, packages: ['pandas', 'matplotlib'] });
  const code = 'import numpy, pandas; print(pandas.Series(numpy.arange(10)).sum())';
  expect(await session.prints(code)).toBe('45\n');
});

test('a list that is none is refused, naming its entry', async () => {
  await using session = await TestSession.open(wsUrl, { language: 'python', runtimeType: 'Python' });
  const command = { type: 'install_packages', packages: ['tabulate', '--index-url=http://192.0.2.1'] };
  const refused = await session.client.refused('session.execute', { sessionId: session.id, command });
  expect(refused.data).toMatchObject({ code: 'VALIDATION_ERROR', field: 'command.packages[1]' });
  const created = await session.client.refused('session.create', { language: 'csharp', packages: ['x'] });
  expect(created.data).toMatchObject({ code: 'NOT_SUPPORTED', field: 'packages' });
});
