import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SandboxLibrary } from '../../src/runtimes/library.ts';
import { KernelProcess } from './kernel-process.ts';

/** An interrupt may reach a kernel before it has read the cell that is meant. */
const dataDir = mkdtempSync(join(tmpdir(), 'kernels-'));
const kernels = [
  {
    name: 'Python',
    run: ['python3', '-I'],
    file: 'python/importlib_bootstrap/kernel.py',
    error: 'KeyboardInterrupt',
  },
  {
    name: 'Node.js',
    run: [process.execPath, '--no-warnings'],
    file: 'javascript/node.cjs',
    error: 'Interrupted',
  },
];

let library: string;
beforeAll(async () => {
  library = (await new SandboxLibrary(dataDir).get()).directory;
});
afterAll(() => rmSync(dataDir, { recursive: true }));

describe.for(kernels)('$name', ({ name, run, file, error }) => {
  const code = name === 'Python' ? 'kept += 1; print(kept)' : 'console.log(++kept)';

  test('ends a cell that was interrupted before it began, and no other', async () => {
    await using kernel = await KernelProcess.start([...run, join(library, file)]);
    const say = (interrupt: number) => kernel.control.write(`${JSON.stringify({ interrupt })}\n`);
    await kernel.run('kept = 1');
    for (let cell = 2; cell <= 30; cell += 3) {
      kernel.child.kill('SIGINT');
      kernel.control.cork();
      kernel.begin(code);
      say(cell);
      kernel.control.uncork();
      const end = await kernel.end();
      expect(end).toMatchObject({ stdout: '', error: { name: error } });
      expect(end.error?.traceback).not.toMatch(/kernel|javascript/);
      // Of a cell that has ended, and by somebody else.
      say(cell);
      kernel.child.kill('SIGINT');
      expect(await kernel.prints(code)).toBe(`${(cell + 4) / 3}\n`);
      expect(await kernel.value('[kept]')).toMatch(/\d/);
    }
  });
});
