import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** A program that serves by HTTP as a process of this machine's, beside what serves from a sandbox. It has a directory, which goes with it. */
export class BareServer {
  readonly url: string;
  readonly #child: ChildProcess;
  readonly #directory: string;

  private constructor(port: string, child: ChildProcess, directory: string) {
    this.url = `http://127.0.0.1:${port}`;
    this.#child = child;
    this.#directory = directory;
  }

  /** The script prints its port. */
  static async start(directory: string, script: string, argument: string): Promise<BareServer> {
    const child = spawn(process.execPath, [script, argument], { stdio: ['ignore', 'pipe', 'inherit'] });
    for await (const port of createInterface({ input: child.stdout }))
      return new BareServer(port, child, directory);
    throw new Error(`${script} did not start`);
  }

  close(): void {
    this.#child.kill();
    rmSync(this.#directory, { recursive: true });
  }
}
