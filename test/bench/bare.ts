import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';

const MODULES = join(import.meta.dirname, '../../node_modules');
/** Where Bun's program lies, bun.exe. */
export const BUN_DIRECTORY = join(MODULES, 'bun/bin');
/** How a file is run on each runtime by hand. */
export const BARE: Readonly<Record<string, (file: string) => [string, ...string[]]>> = {
  Bun: file => [join(BUN_DIRECTORY, 'bun.exe'), file],
  Python: file => ['/usr/bin/python3', file],
  Deno: file => [join(MODULES, 'deno/deno'), 'run', '--quiet', file],
  NodeJs: file => [join(MODULES, '.bin/node'), file],
};

/**
 * Starts bare processes from a small one: forked from this large one they would take longer than they do, and the
 * service would look better than it is. Python's subprocess forks by vfork(2).
 */
const STARTER = `
import json, subprocess, sys, time
for line in sys.stdin:
    start = time.perf_counter()
    done = subprocess.run(json.loads(line), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    took = (time.perf_counter() - start) * 1000
    print(took if done.returncode == 0 else done.stderr.decode() or done.returncode, flush=True)`;

export class Bare {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  readonly #reader: Interface;

  constructor() {
    this.#child = spawn('/usr/bin/python3', ['-I', '-c', STARTER]);
    this.#reader = createInterface({ input: this.#child.stdout });
    this.#lines = this.#reader[Symbol.asyncIterator]();
  }

  /** Runs a program to its end; resolves to how long that took, milliseconds. @throws when it fails */
  async run(...argv: string[]): Promise<number> {
    this.#child.stdin.write(`${JSON.stringify(argv)}\n`);
    const { value } = await this.#lines.next();
    const took = Number(value);
    if (Number.isNaN(took)) throw new Error(`${argv[0]}: ${value}`);
    return took;
  }

  close(): void {
    this.#reader.close();
    this.#child.kill();
  }
}
