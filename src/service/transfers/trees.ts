import { tarWords } from '../../agent/artifact.ts';
import { ServiceError } from '../../errors.ts';
import { FileRefused, type Sandbox } from '../../sandbox.ts';
import { EntryProgram } from '../entries/entry-program.ts';
import { asServiceError, serviceError } from '../file-refusals.ts';
import type { CodedBy, Packed, Unpacking } from '../service.ts';
import type { Codings } from './codings.ts';
import { Decoding } from './decoding.ts';

/** A directory as a tar archive, by a program of its sandbox. `leave` is called once it is closed. */
export async function packTree(sandbox: Sandbox, path: string, leave: () => void): Promise<Packed> {
  const program = await asServiceError(EntryProgram.start(sandbox, tarWords.pack(path), 'none'));
  return {
    path,
    async *pieces() {
      try {
        yield* program.pieces();
      } catch (error) {
        throw serviceError(error);
      }
    },
    close() {
      program.stop();
      leave();
    },
  };
}

/** Unpacks one there. `leave` is called once it is finished or aborted. */
export async function unpackTree(
  sandbox: Sandbox,
  path: string,
  { coded, codings, client }: { coded?: CodedBy; codings: Codings; client: string },
  leave: () => void,
): Promise<Unpacking> {
  const made = await isMissing(sandbox, path);
  const program = await asServiceError(EntryProgram.start(sandbox, tarWords.unpack(path), 'pipe'));
  const answer = asServiceError(program.answer());
  answer.catch(() => {});
  // What the program refuses it says at its end.
  const untilAnswered = within(answer);
  const take = (data: Uint8Array) => untilAnswered(program.write(data));
  const decoding = coded && new Decoding(coded, codings.open(client, coded.coding, 'decode'), take);
  const abort = () => {
    decoding?.close();
    program.stop();
    leave();
  };
  return {
    made,
    abort,
    write: data => (decoding ? decoding.write(data) : take(data)),
    async finish() {
      await decoding?.end();
      program.endInput();
      await answer;
      leave();
    },
  };
}

/**
 * Waits for one thing after another, for none longer than until `end` has come, and fails as that does. However many there are, `end`
 * has one handler: a race of each against it would leave one there until it comes.
 */
function within(end: Promise<unknown>): (work: Promise<void>) => Promise<void> {
  let ended = false;
  let wake = () => {};
  const over = () => {
    ended = true;
    wake();
  };
  end.then(over, over);
  return async work => {
    await new Promise<void>((resolve, reject) => {
      wake = resolve;
      work.then(resolve, reject);
      if (ended) resolve();
    });
    if (ended) await end;
  };
}

/** @throws {ServiceError} something else than a directory is there */
async function isMissing({ files }: Sandbox, path: string): Promise<boolean> {
  try {
    const { type } = await files.stat(path);
    if (type === 'directory') return false;
  } catch (error) {
    if (error instanceof FileRefused && error.reason === 'missing') return true;
    throw serviceError(error);
  }
  throw new ServiceError('CONFLICT', `Not a directory: ${path}`);
}
