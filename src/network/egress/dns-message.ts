/** A query of the domain name system (RFC 1035, 4.1), as far as a sandbox's is looked at. */
export interface Query {
  readonly id: number;
  /** Of its second word, what an answer repeats. */
  readonly recursion: boolean;
  readonly opcode: number;
  /** As it was asked, to be repeated byte for byte. */
  readonly question: Uint8Array;
  /** Lower case, labels joined by dots; empty for the root. */
  readonly name: string;
  readonly type: number;
  readonly class: number;
}

export const TYPE = { A: 1, PTR: 12 } as const;
export const CLASS_IN = 1;
export const CODE = { none: 0, format: 1, failure: 2, noName: 3, notImplemented: 4, refused: 5 } as const;

const HEADER_BYTES = 12;
const MAX_NAME_BYTES = 255;
/** Of an answer, seconds: longer than a connection takes to begin. */
const TTL = 60;

/**
 * Reads a query with one question. Null for what is none, to which there is no answer.
 * Labels are bytes; a dot in one, or what is not ASCII, makes a name that no rule has.
 */
export function readQuery(bytes: Uint8Array): Query | null {
  if (bytes.length < HEADER_BYTES) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const flags = view.getUint16(2);
  const isAnswer = (flags & 0x8000) !== 0;
  if (isAnswer || view.getUint16(4) !== 1) return null;
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (;;) {
    const length = bytes[at++];
    // Above 63 it would be a pointer (4.1.4), which a question has no use for.
    if (length === undefined || length > 63) return null;
    if (length === 0) break;
    if (at + length > bytes.length || at + length - HEADER_BYTES > MAX_NAME_BYTES) return null;
    labels.push(textOf(bytes.subarray(at, at + length)));
    at += length;
  }
  if (at + 4 > bytes.length) return null;
  return {
    id: view.getUint16(0),
    recursion: (flags & 0x0100) !== 0,
    opcode: (flags >> 11) & 15,
    question: bytes.slice(HEADER_BYTES, at + 4),
    name: labels.join('.').toLowerCase(),
    type: view.getUint16(at),
    class: view.getUint16(at + 2),
  };
}

/** An answer without records, or with one of the question's type. */
export function answerTo(query: Query, code: number, data: Uint8Array | null = null): Uint8Array {
  const record = data === null ? 0 : HEADER_BYTES + data.length;
  const answer = new Uint8Array(HEADER_BYTES + query.question.length + record);
  const view = new DataView(answer.buffer);
  view.setUint16(0, query.id);
  // An answer, with recursion available.
  view.setUint16(2, 0x8080 | (query.opcode << 11) | (query.recursion ? 0x0100 : 0) | code);
  view.setUint16(4, 1);
  view.setUint16(6, data === null ? 0 : 1);
  answer.set(query.question, HEADER_BYTES);
  if (data === null) return answer;
  const at = HEADER_BYTES + query.question.length;
  // A pointer to the question's name.
  view.setUint16(at, 0xc000 | HEADER_BYTES);
  view.setUint16(at + 2, query.type);
  view.setUint16(at + 4, CLASS_IN);
  view.setUint32(at + 6, TTL);
  view.setUint16(at + 10, data.length);
  answer.set(data, at + HEADER_BYTES);
  return answer;
}

/** A canonical name as a record's data. */
export function encodeName(name: string): Uint8Array {
  return Buffer.concat([
    ...name.split('.').map(label => Buffer.concat([Buffer.of(label.length), Buffer.from(label, 'latin1')])),
    Buffer.of(0),
  ]);
}

function textOf(label: Uint8Array): string {
  const text = Buffer.from(label).toString('latin1');
  return /^[!-~]*$/.test(text) && !text.includes('.') ? text : '\0';
}
