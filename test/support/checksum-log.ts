import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

const LEAF = Buffer.of(0);
const NODE = Buffer.of(1);
const ED25519 = Buffer.of(1);
/** Of the key in its outer form (RFC 8410), the last bytes are the key itself. */
const KEY_BYTES = 32;
/** A log of fewer records is one tile, which holds a hash of each. */
export const MAX_RECORDS = 255;

const sha256 = (...parts: Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest();

/** A checksum database that go believes by its key (go.dev/design/25530-sumdb, golang.org/x/mod/sumdb/note). */
export class ChecksumLog {
  readonly name = 'sums.test';
  readonly #privateKey: KeyObject;
  readonly #publicKey: Buffer;
  readonly #records: { of: string; text: string }[] = [];

  constructor() {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    this.#privateKey = privateKey;
    const raw = publicKey.export({ type: 'spki', format: 'der' }).subarray(-KEY_BYTES);
    this.#publicKey = Buffer.concat([ED25519, raw]);
  }

  /** As GOSUMDB has it. */
  get key(): string {
    return `${this.name}+${this.#keyHash.toString('hex')}+${this.#publicKey.toString('base64')}`;
  }

  /** `sum` of the files of a version, and of its go.mod alone; an address that is asked for has capitals escaped as `escaped` has them. */
  add(module: string, version: string, sums: { files: string; goMod: string; escaped: string }): void {
    const text = `${module} ${version} ${sums.files}\n${module} ${version}/go.mod ${sums.goMod}\n`;
    this.#records.push({ of: sums.escaped, text });
  }

  /** What it says at a path below its address; null where there is nothing. */
  answer(path: string): Buffer | null {
    if (path === 'latest') return Buffer.from(this.#head());
    if (/^tile\/8\/0\/000\.p\//.test(path)) return Buffer.concat(this.#leaves());
    const id = this.#records.findIndex(({ of }) => path === `lookup/${of}`);
    return id < 0 ? null : Buffer.from(`${id}\n${this.#records[id]!.text}\n${this.#head()}`);
  }

  get #keyHash(): Buffer {
    return sha256(Buffer.from(`${this.name}\n`), this.#publicKey).subarray(0, 4);
  }

  #leaves(): Buffer[] {
    return this.#records.map(({ text }) => sha256(LEAF, Buffer.from(text)));
  }

  /** The signed head of its tree. */
  #head(): string {
    const leaves = this.#leaves();
    const text = `go.sum database tree\n${leaves.length}\n${rootOf(leaves).toString('base64')}\n`;
    const signature = sign(null, Buffer.from(text), this.#privateKey);
    return `${text}\n— ${this.name} ${Buffer.concat([this.#keyHash, signature]).toString('base64')}\n`;
  }
}

/** RFC 6962, 2.1. */
function rootOf(leaves: Buffer[]): Buffer {
  if (leaves.length <= 1) return leaves[0] ?? sha256();
  const half = 2 ** Math.floor(Math.log2(leaves.length - 1));
  return sha256(NODE, rootOf(leaves.slice(0, half)), rootOf(leaves.slice(half)));
}
