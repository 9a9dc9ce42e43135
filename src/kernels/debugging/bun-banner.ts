const LINE = '--------------------- Bun Inspector ---------------------';
const LISTENS = /^ {2}(ws:\/\/127\.0\.0\.1:\d+\/\S+)$/m;
/** Of what Bun says before it, characters. */
const MOST = 64 * 1024;

/** Takes out of what a program prints what Bun says of its debugger, which comes first and stands between two lines. */
export class BunBanner {
  readonly #tell: (text: string) => void | Promise<void>;
  readonly #listens: (url: string) => void;
  #held = '';
  #isOver = false;

  constructor(tell: (text: string) => void | Promise<void>, listens: (url: string) => void) {
    this.#tell = tell;
    this.#listens = listens;
  }

  async add(text: string): Promise<void> {
    if (this.#isOver) return this.#tell(text);
    this.#held += text;
    const [before = '', banner, after] = this.#held.split(`${LINE}\n`, 3);
    if (after === undefined) return this.#held.length > MOST ? this.end() : undefined;
    this.#isOver = true;
    this.#held = '';
    const [, url] = LISTENS.exec(banner!) ?? [];
    if (url !== undefined) this.#listens(url);
    if (before + after !== '') await this.#tell(before + after);
  }

  async end(): Promise<void> {
    this.#isOver = true;
    const held = this.#held;
    this.#held = '';
    if (held !== '') await this.#tell(held);
  }
}
