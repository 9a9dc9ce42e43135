/** As they were before a cell could replace them. */
const { call } = Function.prototype;
const indexOf = call.bind(String.prototype.indexOf) as (text: string, part: string) => number;
const slice = call.bind(String.prototype.slice) as (text: string, from: number, to?: number) => string;

/** Cuts text into lines as it comes. */
export class LineCutter {
  readonly #heard: (line: string) => void;
  #held = '';

  constructor(heard: (line: string) => void) {
    this.#heard = heard;
  }

  push(text: string): void {
    this.hold(text);
    for (let end = indexOf(this.#held, '\n'); end >= 0; end = indexOf(this.#held, '\n')) {
      const line = slice(this.#held, 0, end);
      this.#held = slice(this.#held, end + 1);
      this.#heard(line);
    }
  }

  /** Adds text that is cut with what comes next. */
  hold(text: string): void {
    this.#held += text;
  }

  /** Whether this is among the lines that have come and are not heard yet. */
  holds(line: string): boolean {
    return indexOf(this.#held, `${line}\n`) >= 0;
  }
}

/** Waits for what a full pipe has not taken yet; what was written to the descriptors themselves is out already. */
export function flush(): Promise<unknown> | null {
  const streams = [process.stdout, process.stderr].filter(stream => stream.writableLength > 0);
  if (streams.length === 0) return null;
  const written = streams.map(stream => new Promise<void>(resolve => stream.write('', () => resolve())));
  return Promise.all(written);
}
