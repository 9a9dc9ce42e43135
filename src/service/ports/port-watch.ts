import { setTimeout as sleep } from 'node:timers/promises';
import { type Process, type Sandbox, SandboxLost, WORKSPACE } from '../../sandbox.ts';
import { KERNELS } from '../../toolchains/toolchain.ts';

/** Between two starts of what was ended, milliseconds. */
const PAUSE_MS = 1000;
/** Until it is taken as known what listens, though the program has told nothing: others may stop it. Milliseconds. */
const FIRST_MS = 5000;
/** Of a line, characters; the agent's have fewer (src/agent/ports_tool.c). */
const MAX_LINE = 16 * 1024;
const ENTRY = /^(\d{1,5})=([0-9a-f.:]+)$/;

/** Addresses by port. */
export type Listening = ReadonlyMap<number, string>;

/** What listens in a sandbox, as a program of the sandbox sees it, which other programs of it may end: it is started again then. */
export class PortWatch implements Disposable {
  readonly #sandbox: Sandbox;
  readonly #onChange: (now: Listening, before: Listening) => void;
  readonly #first = Promise.withResolvers<void>();
  #listening: Listening = new Map();
  #process: Process | null = null;
  #closed = false;

  constructor(sandbox: Sandbox, onChange: (now: Listening, before: Listening) => void) {
    this.#sandbox = sandbox;
    this.#onChange = onChange;
    setTimeout(() => this.#first.resolve(), FIRST_MS).unref();
    void this.#keep();
  }

  /** What listens now, once that is known, or as far as it is where that takes too long. Never rejects. */
  async listening(): Promise<Listening> {
    await this.#first.promise;
    return this.#listening;
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#process?.signal('SIGKILL');
    this.#first.resolve();
  }

  async #keep(): Promise<void> {
    while (!this.#closed) {
      try {
        await this.#run();
      } catch (error) {
        if (error instanceof SandboxLost) this[Symbol.dispose]();
      }
      this.#first.resolve();
      await sleep(PAUSE_MS, undefined, { ref: false });
    }
  }

  async #run(): Promise<void> {
    const argv = [`${KERNELS}/agent`, 'ports'];
    this.#process = await this.#sandbox.spawn({ argv, cwd: WORKSPACE, env: {}, stdin: 'none' });
    if (this.#closed) this.#process.signal('SIGKILL');
    let line = '';
    for await (const event of this.#process.events) {
      if (event.type !== 'output' || event.stream !== 'stdout') continue;
      line += Buffer.from(event.data).toString('latin1');
      const lines = line.split('\n');
      line = lines.pop()!;
      if (line.length > MAX_LINE) this.#process.signal('SIGKILL');
      // Those before the last are of the past.
      const last = lines.at(-1);
      if (last !== undefined && !this.#closed) this.#see(last);
    }
  }

  #see(line: string): void {
    const now = new Map<number, string>();
    for (const entry of line.split(' ')) {
      const [, digits, address] = ENTRY.exec(entry) ?? [];
      const port = Number(digits);
      // Of several addresses of one port, the one that leads furthest.
      if (address !== undefined && port > 0 && port < 65_536 && !isAny(now.get(port))) now.set(port, address);
    }
    const before = this.#listening;
    this.#listening = now;
    this.#first.resolve();
    this.#onChange(now, before);
  }
}

function isAny(address: string | undefined): boolean {
  return address === '0.0.0.0' || address === '::';
}
