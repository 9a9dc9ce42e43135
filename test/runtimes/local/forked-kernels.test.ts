import { randomBytes } from 'node:crypto';
import { afterAll, expect, test, vi } from 'vitest';
import { BASE_ENV } from '../../../src/runtimes/base-env.ts';
import type { PooledRuntime } from '../../../src/runtimes/pool/pooled-runtime.ts';
import { cpython } from '../../../src/toolchains/cpython.ts';
import { NO_PERMISSIONS } from '../../../src/toolchains/toolchain.ts';
import { specFor, startRuntimes } from './support.ts';

const instance = `kern${randomBytes(5).toString('hex')}`;
const runtimes = await startRuntimes({ instance, runtimes: ['Python'], poolSize: 1, fork: true });
const python = runtimes.all[0] as PooledRuntime;
afterAll(() => runtimes[Symbol.asyncDispose]());

const CELL = { cell: 1, code: 'print(hash("x"))', stdin: '/dev/null', typescript: false };

/** What the kernel of a new session prints. */
async function printed(): Promise<string> {
  const sandbox = await python.create(specFor(python, 'python', 'session'));
  try {
    const env = { ...BASE_ENV, ...sandbox.environment };
    const argv = cpython.kernel!.argv(NO_PERMISSIONS);
    const kernel = await sandbox.spawn({ argv, cwd: '/workspace', env, stdin: 'none', control: true });
    let said = '';
    for await (const event of kernel.events) {
      if (event.type === 'output') said += Buffer.from(event.data).toString();
      if (event.type !== 'control') continue;
      const text = Buffer.from(event.data).toString();
      if (text.includes('"ready"')) kernel.sendControl(Buffer.from(`${JSON.stringify(CELL)}\n`));
      if (text.includes('"done"')) break;
    }
    return said;
  } finally {
    await sandbox.close();
  }
}

test('kernels of sessions are children of one interpreter and share its hash seed', async () => {
  // The first ones may be made before there is an interpreter to fork.
  await vi.waitFor(
    async () => {
      const seed = await printed();
      expect(seed).toMatch(/^-?\d+\n$/);
      expect(await printed()).toBe(seed);
    },
    { timeout: 60_000 },
  );
}, 90_000);
