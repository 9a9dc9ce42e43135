import { pathText } from '../../wire/path-bytes.ts';
import type { Entry } from '../service.ts';

/** Letters of the agent's records (src/agent/entry_tool.h). */
const TYPES: Readonly<Record<string, Entry['type']>> = {
  f: 'file',
  d: 'directory',
  l: 'symlink',
  o: 'other',
};

const NANOSECONDS = 1_000_000_000n;

/** What `agent entry` tells of files. It is anybody's word: a program of the sandbox may have got the better of it. */
export class EntryReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.byteLength;
  }

  /** @throws {Error} for what is no entry */
  entry(): Entry {
    const type = TYPES[this.text()];
    if (!type) throw new Error('an entry of no type');
    const size = this.#number(10);
    const mode = this.#number(8);
    const modifiedAt = timeIn(this.text());
    const path = pathText(this.#field());
    const target = pathText(this.#field());
    const metadata: [string, string][] = [];
    for (let left = this.#number(10); left > 0; left--) metadata.push([this.text(), this.text()]);
    return {
      path,
      type,
      size,
      mode,
      modifiedAt,
      target: type === 'symlink' ? target : null,
      // Of one that was taken away meanwhile nothing is left.
      metadata: Object.fromEntries(metadata.filter(([name]) => name !== '')),
    };
  }

  text(): string {
    return this.#field().toString('utf8');
  }

  #number(base: number): number {
    const number = Number.parseInt(this.text(), base);
    if (!Number.isSafeInteger(number) || number < 0) throw new Error('an entry with a bad number');
    return number;
  }

  #field(): Buffer {
    const end = this.#bytes.indexOf(0, this.#at);
    if (end < 0) throw new Error('an entry without an end');
    const field = this.#bytes.subarray(this.#at, end);
    this.#at = end + 1;
    return field;
  }
}

function timeIn(text: string): bigint {
  const [, seconds, nanoseconds] = /^(-?\d{1,18})\.(\d{9})$/.exec(text) ?? [];
  if (seconds === undefined || nanoseconds === undefined) throw new Error('an entry with a bad time');
  return BigInt(seconds) * NANOSECONDS + BigInt(nanoseconds);
}
