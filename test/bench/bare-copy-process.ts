import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** bare-copy.ts as a process of its own; its file lies in memory, as a sandbox's do. */
export class BareCopy {
  readonly url: string;
  readonly #child: ChildProcess;
  readonly #directory: string;

  private constructor(url: string, child: ChildProcess, directory: string) {
    this.url = url;
    this.#child = child;
    this.#directory = directory;
  }

  static async start(): Promise<BareCopy> {
    const directory = mkdtempSync('/dev/shm/codebeaker-bench-');
    const script = join(import.meta.dirname, 'bare-copy.ts');
    const child = spawn(process.execPath, [script, join(directory, 'f')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    for await (const port of createInterface({ input: child.stdout }))
      return new BareCopy(`http://127.0.0.1:${port}`, child, directory);
    throw new Error('bare-copy.ts did not start');
  }

  close(): void {
    this.#child.kill();
    rmSync(this.#directory, { recursive: true });
  }
}
