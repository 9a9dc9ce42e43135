import { createHash } from 'node:crypto';

/** What a program should print. Kept instead of the text, which may be as large as a request. */
export interface Expected {
  /** Of what `comparable` makes of it, in hexadecimal. */
  readonly sha256: string;
  /** Of the same, bytes. */
  readonly length: number;
}

const NEWLINE = 10;
/** By bytes, 1 for what Ruby's rstrip takes away: NUL, tab, line feed, vertical tab, form feed, carriage return, space. */
const BLANK = new Uint8Array(256);
for (const byte of [0, 9, NEWLINE, 11, 12, 13, 32]) BLANK[byte] = 1;

export function expectedOf(text: Buffer): Expected {
  const data = comparable(text);
  return { sha256: digest(data), length: data.length };
}

/** Whether what was printed is that. Undefined where too little of it was kept to tell. */
export function isExpected(
  { sha256, length }: Expected,
  { stdout, whole }: { stdout: Buffer; whole: boolean },
): boolean | undefined {
  const data = comparable(stdout);
  if (whole) return digest(data) === sha256;
  return data.length > length ? false : undefined;
}

/** Without blanks at the ends of lines and of the whole, as Judge0 compares texts. In one pass, whatever they are made of. */
export function comparable(text: Buffer): Buffer {
  const kept = Buffer.allocUnsafe(text.length);
  let length = 0;
  // Where the line would end if nothing but blanks followed.
  let end = 0;
  // By index: an iterator takes ten times as long, and texts may have megabytes.
  for (let i = 0; i < text.length; i++) {
    const byte = text[i]!;
    if (byte === NEWLINE) length = end;
    kept[length++] = byte;
    if (byte === NEWLINE || !BLANK[byte]) end = length;
  }
  while (end > 0 && BLANK[kept[end - 1]!]) end--;
  return kept.subarray(0, end);
}

const digest = (data: Buffer) => createHash('sha256').update(data).digest('hex');
