/**
 * Framing of the Debug Adapter Protocol on a stream of bytes (its overview, Base protocol): a header of fields, an empty line, and so
 * many bytes of JSON.
 */

/** Of one message and of its header, bytes. */
export const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;
const MAX_HEADER_BYTES = 4096;
const END = '\r\n\r\n';
/** Nine digits are more than the most. */
const LENGTH = /^content-length: *(\d{1,9})$/i;
const OTHER = /^content-type: *[\x20-\x7e]*$/i;

/** What came is no message; the sentence says why not. */
export class BadFrame extends Error {
  override readonly name = 'BadFrame';
}

interface Body {
  readonly bytes: Buffer;
  filled: number;
}

/** Cuts a stream into messages. Holds at most one that is not whole yet. */
export class ContentLengthReader {
  /** Of a header, until it is whole. */
  #header = Buffer.alloc(0);
  /** What has come of a body; null between bodies. */
  #body: Body | null = null;

  /** The texts of the messages that these bytes complete. @throws {BadFrame} and then nothing more can be read */
  *push(data: Uint8Array): Generator<string> {
    let rest: Buffer = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    while (rest.byteLength > 0) {
      const body = this.#body;
      rest = body ? this.#fill(body, rest) : this.#begin(rest);
      if (!body || body.filled < body.bytes.byteLength) continue;
      this.#body = null;
      yield body.bytes.toString('utf8');
    }
  }

  #fill(body: Body, data: Buffer): Buffer {
    const taken = data.copy(body.bytes, body.filled);
    body.filled += taken;
    return data.subarray(taken);
  }

  /** Takes what belongs to a header, and no more than that is looked at twice. */
  #begin(data: Buffer): Buffer {
    const held = this.#header.byteLength;
    const room = MAX_HEADER_BYTES - held;
    const header = Buffer.concat([this.#header, data.subarray(0, room)]);
    const end = header.indexOf(END, Math.max(0, held - END.length), 'latin1');
    if (end < 0) {
      if (data.byteLength >= room) throw new BadFrame(`a header of more than ${MAX_HEADER_BYTES} bytes`);
      // Whatever is no header is refused before it has an end: it may never have one.
      checkFirst(header);
      this.#header = header;
      return data.subarray(data.byteLength);
    }
    this.#header = Buffer.alloc(0);
    this.#body = { bytes: Buffer.allocUnsafe(lengthIn(header.toString('latin1', 0, end))), filled: 0 };
    return data.subarray(end + END.length - held);
  }
}

/**
 * Any other field is refused: a request of HTTP has a Content-Length too, and any web page can have a browser send one to a port of
 * its own machine.
 */
function lengthIn(header: string): number {
  let length: number | undefined;
  for (const line of header.split('\r\n')) {
    const [, digits] = LENGTH.exec(line) ?? [];
    if (digits === undefined ? !OTHER.test(line) : length !== undefined) throw notOurs(line);
    if (digits !== undefined) length = Number(digits);
  }
  if (length === undefined) throw new BadFrame('a header without Content-Length');
  if (length === 0) throw new BadFrame('a message of no bytes');
  if (length > MAX_MESSAGE_BYTES) throw new BadFrame(`a message of more than ${MAX_MESSAGE_BYTES} bytes`);
  return length;
}

function checkFirst(header: Buffer): void {
  const begun = header.toString('latin1', 0, 'content-'.length).toLowerCase();
  if (!'content-'.startsWith(begun)) throw notOurs(header.toString('latin1', 0, 32));
}

function notOurs(line: string): BadFrame {
  return new BadFrame(`a header with ${JSON.stringify(line.slice(0, 32))}`);
}

/** A message with its header. */
export function framed(text: string): Buffer {
  return Buffer.from(`Content-Length: ${Buffer.byteLength(text)}${END}${text}`, 'utf8');
}
