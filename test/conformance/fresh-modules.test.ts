import { describe, expect, inject, test } from 'vitest';
import { lentSession } from '../support/lent-session.ts';
import { matrix } from '../support/matrix.ts';

/** A Python module runs as it was written last, however soon after, and whoever started the interpreter. */
const server = inject('server');
const cells = (await matrix()).filter(({ dialect }) => dialect === 'python');

const MODULES = `
import os, subprocess
open('main.py', 'w').write('import helper; print(helper.x)')
open('test_it.py', 'w').write('import helper, unittest\\nclass T(unittest.TestCase):\\n  def test(self): print(helper.x)')
def texts(argv, **more):
    """What each of three helpers of the same length and second says."""
    said = ''
    for x in range(3):
        with open('helper.py', 'w') as file: file.write(f'x = {x}')
        os.utime('helper.py', (1e9, 1e9))
        said += subprocess.run(argv, stdout=-1, stderr=-3, text=True, **more).stdout.strip()
    return said`;

const STARTS = [
  ['a program', `texts(['python3', 'main.py'])`],
  ['a program without an environment', `texts(['/usr/bin/python3', 'main.py'], env={})`],
  ['a shell', `texts('python3 main.py', shell=True)`],
  ['a module that finds tests', `texts(['python3', '-m', 'unittest', '-q', 'test_it'])`],
  [
    'an isolated one',
    `texts(['python3', '-I', '-c', 'import sys; sys.path[:0] = ["."]; import helper; print(helper.x)'])`,
  ],
  [
    'one beside compiled files of a tool',
    `texts('/usr/bin/python3 main.py; /usr/bin/python3 -m compileall -q .', shell=True, env={})`,
  ],
] as const;

describe.for(cells)('$language on $runtimeType', ({ language, runtimeType }) => {
  test('runs no text that has been replaced', async () => {
    await using session = await lentSession(server.wsUrl, { language, runtimeType });
    await session.prints(MODULES);
    for (const [start, code] of STARTS)
      expect(`${start}: ${await session.prints(`print(${code})`)}`).toBe(`${start}: 012\n`);
    const reloads = `
import helper, importlib
for x in range(3):
    with open('helper.py', 'w') as file: file.write(f'x = {x}')
    os.utime('helper.py', (1e9, 1e9))
    print(importlib.reload(helper).x, end='')`;
    expect(await session.prints(reloads)).toBe('012');
  });

  test('shows nothing of how modules are loaded', async () => {
    await using session = await lentSession(server.wsUrl, { language, runtimeType });
    await session.done('write_file', { path: 'broken.py', content: 'x = = 1' });
    const answer = await session.cell('import broken');
    expect(answer.result.error.traceback).not.toMatch(/frozen|codebeaker/);
    const { stderr } = await session.shell('python3', ['-c', 'import broken']);
    expect(stderr.split('\n').slice(0, 3)).toEqual([
      'Traceback (most recent call last):',
      '  File "<string>", line 1, in <module>',
      '  File "/workspace/broken.py", line 1',
    ]);
    const listed = await session.done('list_directory', { recursive: true, includeHidden: true });
    expect(listed.entries.map(({ path }: { path: string }) => path)).toEqual(['broken.py']);
  });
});
