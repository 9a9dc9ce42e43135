import { entryWords } from '../../agent/artifact.ts';
import {
  FileRefused,
  type FileSink,
  type FileSource,
  type Files,
  type OpenFile,
  type Sandbox,
} from '../../sandbox.ts';
import type { Entry } from '../service.ts';
import { EntryProgram } from './entry-program.ts';
import { EntryReader } from './entry-reader.ts';

const NANOSECONDS_PER_MS = 1_000_000n;

/** Files anywhere in a sandbox as streams, by programs of it. */
export class ProgramFiles implements Pick<Files, 'openRead' | 'openWrite'> {
  readonly #sandbox: Sandbox;

  constructor(sandbox: Sandbox) {
    this.#sandbox = sandbox;
  }

  async openRead(path: string): Promise<FileSource> {
    const program = await EntryProgram.start(this.#sandbox, entryWords.list(path, 0), 'none');
    const status = openFile(new EntryReader(await program.answer()).entry());
    if (status.type !== 'file') throw new FileRefused(`Not a regular file: ${path}`, 'other_type');
    const sandbox = this.#sandbox;
    return {
      status,
      async *read(offset, length) {
        const reading = await EntryProgram.start(sandbox, entryWords.read(path, offset, length), 'none');
        yield* reading.pieces();
      },
      close() {},
    };
  }

  async openWrite(path: string, { append = false, mode = 0 } = {}): Promise<FileSink> {
    if (append) throw new FileRefused(`Nothing can be added to it from here: ${path}`);
    const program = await EntryProgram.start(this.#sandbox, entryWords.write(path, mode), 'pipe');
    const answer = program.answer();
    answer.catch(() => {});
    let over = false;
    return {
      async write(data) {
        // What the program refuses it says at its end.
        await Promise.race([program.write(data), answer]);
      },
      async commit() {
        program.endInput();
        const reader = new EntryReader(await answer);
        over = true;
        const made = reader.text() === '1';
        return { ...openFile(reader.entry()), made };
      },
      abort() {
        if (!over) program.stop();
        over = true;
      },
    };
  }
}

function openFile({ type, size, mode, modifiedAt }: Entry): OpenFile {
  const time = Number(modifiedAt / NANOSECONDS_PER_MS);
  return { type, size, mode, modifiedAt: time, version: `${modifiedAt.toString(36)}-${size.toString(36)}` };
}
