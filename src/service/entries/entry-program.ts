import {
  FileRefused,
  type Process,
  type RefusalReason,
  type Sandbox,
  type SpawnSpec,
} from '../../sandbox.ts';
import { LIMITS } from '../../schemas/limits.ts';
import { KERNELS } from '../../toolchains/toolchain.ts';
import { FAILURES } from '../../wire/messages.ts';

/** Most characters of why it failed. */
const MOST_WORDS = 8192;
const ENDED = 'The program that was to do it was ended';

/** `agent entry` at work in a sandbox: a program like any other, with the rights and under the limits of all of them. */
export class EntryProgram {
  readonly #process: Process;
  #words = '';
  /** Kills it when nothing has moved for too long. */
  #late: NodeJS.Timeout | undefined;

  private constructor(process: Process) {
    this.#process = process;
  }

  static async start(
    sandbox: Sandbox,
    words: readonly string[],
    stdin: SpawnSpec['stdin'],
  ): Promise<EntryProgram> {
    const argv = [`${KERNELS}/agent`, ...words];
    return new EntryProgram(await sandbox.spawn({ argv, cwd: '/', env: {}, stdin }));
  }

  write(data: Uint8Array): Promise<void> {
    this.#late?.refresh();
    return this.#process.write(data);
  }

  endInput(): void {
    this.#process.endInput();
  }

  /** Has it leave everything as it was. */
  stop(): void {
    this.#process.signal('SIGTERM');
  }

  /** What it answers with, piece by piece; kills it when nobody wants more. @throws {FileRefused} */
  async *pieces(): AsyncGenerator<Uint8Array, void> {
    let over = false;
    // Not kept by a slow sandbox for ever: of what nobody reads nothing is waited for.
    this.#late = setTimeout(() => this.#process.signal('SIGKILL'), LIMITS.shellTimeoutSeconds * 1000);
    try {
      for await (const event of this.#process.events) {
        this.#late.refresh();
        if (event.type === 'exit') {
          over = true;
          if (event.code === 0) return;
          throw this.#refusal();
        }
        if (event.type !== 'output') continue;
        if (event.stream === 'stdout') yield event.data;
        else this.#words = (this.#words + Buffer.from(event.data).toString('utf8')).slice(0, MOST_WORDS);
      }
    } finally {
      clearTimeout(this.#late);
      if (!over) this.#process.signal('SIGKILL');
    }
  }

  /** All of it. `take` counts what comes, and throws where that is too much. @throws {FileRefused} */
  async answer(take: (bytes: number) => void = () => {}): Promise<Buffer> {
    const pieces: Uint8Array[] = [];
    for await (const piece of this.pieces()) {
      take(piece.byteLength);
      pieces.push(piece);
    }
    return Buffer.concat(pieces);
  }

  #refusal(): FileRefused {
    const [, number, sentence = ENDED] = /^(\d) (.*)\n?$/s.exec(this.#words) ?? [];
    return new FileRefused(sentence.trimEnd(), refusalReason(Number(number)));
  }
}

/** By its place in {@link FAILURES}, in so far as a file can be refused for it: the program may say anything. */
function refusalReason(number: number): RefusalReason {
  const reason = FAILURES[number];
  return !reason || reason === 'not_found' || reason === 'skipped' ? 'refused' : reason;
}
