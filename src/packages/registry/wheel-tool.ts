import { closeSync, openSync, writeSync } from 'node:fs';
import { inflateRawSync } from 'node:zlib';

const END = 0x06054b50;
const ENTRY = 0x02014b50;
const END_BYTES = 22;
const DEFLATED = 8;
const MAX_PROGRAM_BYTES = 128 * 1024 * 1024;

/** Writes one program of a wheel that is known by its digest, which is a ZIP archive without a comment, to `target`; and returns its bytes. */
export function unpackProgram(wheel: Buffer, name: RegExp, target: string): number {
  const end = wheel.byteLength - END_BYTES;
  if (wheel.readUInt32LE(end) !== END) throw new Error('no archive');
  let at = wheel.readUInt32LE(end + 16);
  for (let left = wheel.readUInt16LE(end + 10); left > 0; left--) {
    if (wheel.readUInt32LE(at) !== ENTRY) throw new Error('a broken archive');
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map(offset => wheel.readUInt16LE(at + offset));
    const file = wheel.toString('utf8', at + 46, at + 46 + nameBytes!);
    if (name.test(file)) {
      const content = contentOf(wheel, at);
      write(content, target);
      return content.byteLength;
    }
    at += 46 + nameBytes! + extraBytes! + commentBytes!;
  }
  throw new Error('the program is not in it');
}

function contentOf(wheel: Buffer, at: number): Buffer {
  const packed = wheel.readUInt32LE(at + 20);
  const header = wheel.readUInt32LE(at + 42);
  const start = header + 30 + wheel.readUInt16LE(header + 26) + wheel.readUInt16LE(header + 28);
  const content = wheel.subarray(start, start + packed);
  if (wheel.readUInt16LE(at + 10) !== DEFLATED) return content;
  return inflateRawSync(content, { maxOutputLength: MAX_PROGRAM_BYTES });
}

function write(content: Buffer, target: string): void {
  const fd = openSync(target, 'wx', 0o755);
  try {
    for (let at = 0; at < content.byteLength; ) at += writeSync(fd, content, at);
  } finally {
    closeSync(fd);
  }
}
