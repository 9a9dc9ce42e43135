import { Refusal } from './refusals.ts';

/** Longest headers of a part, bytes. */
const MOST_HEADERS = 16 * 1024;
/** Most parts of a body: each has a file's cost. */
const MOST_PARTS = 1000;
const LINE_END = '\r\n';
const HEADERS_END = Buffer.from('\r\n\r\n');

/** A part of a form: its name, its file name if it has one, and its content, which must be read to its end. */
export interface Part {
  readonly name: string;
  readonly fileName: string | undefined;
  readonly content: AsyncIterable<Buffer>;
}

/** The boundary that a `multipart/form-data` names (RFC 7578, RFC 2046). @throws {Refusal} */
export function boundaryIn(contentType: string): string {
  const [, quoted, plain] = /;\s*boundary=(?:"([^"]{1,200})"|([^\s;"]{1,200}))/i.exec(contentType) ?? [];
  const boundary = quoted ?? plain;
  if (!boundary) throw new Refusal(400, 'content-type: has no boundary');
  return boundary;
}

/** The parts of a form as they come, one after the other; holds no more than what came in one piece. @throws {Refusal} */
export async function* partsOf(body: AsyncIterable<Buffer>, boundary: string): AsyncGenerator<Part, void> {
  const reader = new Reader(body);
  try {
    yield* partsIn(reader, Buffer.from(`${LINE_END}--${boundary}`));
  } finally {
    // Lets go of the body, so that what is left of it can be dropped.
    await reader.close();
  }
}

async function* partsIn(reader: Reader, delimiter: Buffer): AsyncGenerator<Part, void> {
  // As if it came behind something, for what is before the first one is nobody's.
  reader.put(Buffer.from(LINE_END));
  for await (const _ of reader.upTo(delimiter));
  for (let count = 0; !(await reader.ends()); count++) {
    if (count === MOST_PARTS) throw new Refusal(400, `a form has at most ${MOST_PARTS} parts`);
    const headers = await reader.headers();
    let read = false;
    const content = async function* () {
      yield* reader.upTo(delimiter);
      read = true;
    };
    yield { ...dispositionIn(headers), content: content() };
    if (!read) throw new Error('a part was not read');
  }
}

class Reader {
  readonly #pieces: AsyncIterator<Buffer>;
  #held: Buffer = Buffer.alloc(0);

  constructor(body: AsyncIterable<Buffer>) {
    this.#pieces = body[Symbol.asyncIterator]();
  }

  put(bytes: Buffer): void {
    this.#held = Buffer.concat([this.#held, bytes]);
  }

  /** What comes before the delimiter, and takes that too. */
  async *upTo(delimiter: Buffer): AsyncGenerator<Buffer, void> {
    while (true) {
      const at = this.#held.indexOf(delimiter);
      // Its beginning may be all that has come of it.
      const sure = at < 0 ? this.#held.byteLength - delimiter.byteLength + 1 : at;
      if (sure > 0) yield this.#take(sure);
      if (at >= 0) return void this.#take(delimiter.byteLength);
      await this.#more();
    }
  }

  /** Whether the delimiter that was taken is the last; otherwise its line is taken. */
  async ends(): Promise<boolean> {
    while (this.#held.byteLength < 2) await this.#more();
    const two = this.#take(2).toString('latin1');
    if (two === '--') return true;
    if (two !== LINE_END) throw new Refusal(400, 'the form is not as multipart/form-data has it');
    return false;
  }

  async headers(): Promise<string> {
    while (true) {
      const at = this.#held.indexOf(HEADERS_END);
      if (at >= 0) {
        const headers = this.#take(at).toString('utf8');
        this.#take(HEADERS_END.byteLength);
        return headers;
      }
      if (this.#held.byteLength > MOST_HEADERS) throw new Refusal(400, 'the headers of a part are too long');
      await this.#more();
    }
  }

  #take(length: number): Buffer {
    const taken = this.#held.subarray(0, length);
    this.#held = this.#held.subarray(length);
    return taken;
  }

  async close(): Promise<void> {
    await this.#pieces.return?.();
  }

  async #more(): Promise<void> {
    const { value, done } = await this.#pieces.next();
    if (done) throw new Refusal(400, 'the form ends before its last boundary');
    this.#held = this.#held.byteLength > 0 ? Buffer.concat([this.#held, value]) : value;
  }
}

/** Of `Content-Disposition`, where browsers and their like write quotes and ends of lines as %22, %0D and %0A. */
function dispositionIn(headers: string): { name: string; fileName: string | undefined } {
  const line = headers.split(LINE_END).find(each => /^content-disposition:/i.test(each)) ?? '';
  const value = (field: string) => {
    const [, quoted, plain] =
      new RegExp(`;\\s*${field}=(?:"((?:[^"\\\\]|\\\\.)*)"|([^;\\s]+))`, 'i').exec(line) ?? [];
    const text = quoted?.replace(/\\(["\\])/g, '$1') ?? plain;
    return text?.replace(/%(22|0D|0A)/gi, decodeURIComponent);
  };
  const name = value('name');
  if (name === undefined) throw new Refusal(400, 'a part of the form has no name');
  return { name, fileName: value('filename') };
}
