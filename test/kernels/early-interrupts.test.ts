import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { KernelProcess } from './kernel-process.ts';

/** An interrupt may reach a kernel before it has read the cell that is meant. */
const ROOT = join(import.meta.dirname, '../..');
const KERNELS = join(ROOT, 'src/kernels');
const built = mkdtempSync(join(tmpdir(), 'kernels-'));
const V8 = join(built, 'v8.mjs');

const kernels = [
  { name: 'Python', argv: ['python3', '-I', join(KERNELS, 'python/kernel.py')], error: 'KeyboardInterrupt' },
  { name: 'Node.js', argv: [process.execPath, '--no-warnings', V8], error: 'Interrupted' },
];

beforeAll(() => {
  const bun = join(ROOT, 'node_modules/bun/bin/bun.exe');
  const entry = join(KERNELS, 'javascript/v8/main.ts');
  execFileSync(bun, ['build', entry, '--target=node', `--outfile=${V8}`], { stdio: 'pipe' });
});
afterAll(() => rmSync(built, { recursive: true }));

describe.for(kernels)('$name', ({ name, argv, error }) => {
  const code = name === 'Python' ? 'kept += 1; print(kept)' : 'console.log(++kept)';

  test('ends a cell that was interrupted before it began, and no other', async () => {
    await using kernel = await KernelProcess.start(argv);
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
      expect(end.error?.traceback).not.toMatch(/kernel|v8\.mjs/);
      // Of a cell that has ended, and by somebody else.
      say(cell);
      kernel.child.kill('SIGINT');
      expect(await kernel.prints(code)).toBe(`${(cell + 4) / 3}\n`);
      expect(await kernel.value('[kept]')).toMatch(/\d/);
    }
  });
});
