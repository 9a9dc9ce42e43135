import { createReadStream, readFileSync } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { CodeBeakerError } from '../client/codebeaker-error.ts';
import type { Run } from '../client/run.ts';
import { UsageError } from './arguments.ts';
import { tell } from './print.ts';
import { reasonOf } from './reason-of.ts';

/** A file's text, or with `-` that of standard input. @throws {UsageError} also where it is no UTF-8 */
export async function textIn(file: string): Promise<string> {
  let bytes: Uint8Array;
  try {
    bytes = file === '-' ? await buffer(process.stdin) : readFileSync(file);
  } catch (error) {
    throw new UsageError(`${file} can't be read: ${reasonOf(error)}.`);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new UsageError(`${file === '-' ? 'Standard input' : file} is no text in UTF-8.`);
  }
}

/** Bytes of a file. @throws {UsageError} */
export async function openInput(file: string): Promise<AsyncIterable<Uint8Array>> {
  const stream = createReadStream(file);
  try {
    await new Promise((resolve, reject) => stream.once('open', resolve).once('error', reject));
  } catch (error) {
    throw new UsageError(`${file} can't be read: ${reasonOf(error)}.`);
  }
  return stream;
}

/**
 * Feeds a run's standard input, no faster than it is taken, and ends it in the end, also where no more can be read. Never rejects: a
 * program that has ended reads nothing, and what is wrong with the connection is told by the run.
 */
export async function feed(source: AsyncIterable<Uint8Array>, run: Pick<Run, 'input'>): Promise<void> {
  try {
    for await (const bytes of source) await run.input(bytes);
  } catch (error) {
    if (error instanceof CodeBeakerError) return;
    tell(`standard input of the program ends here, for no more can be read: ${reasonOf(error)}`);
  }
  await run.input('', { eof: true }).catch(() => {});
}
