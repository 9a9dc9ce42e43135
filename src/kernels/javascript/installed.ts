/** Where the service shows what is installed for the session: a link to a layer that never changes (src/packages/npm.ts). */
const LINK = '/home/sandbox/.packages/node_modules';
const PROGRAMS = `${LINK}/.bin`;

/** Follows what is installed, from one cell to the next. */
export class Installed {
  readonly #readLink: (path: string) => string | null;
  #shown: string | null = null;

  /** `readLink`: null where there is no link. */
  constructor(readLink: (path: string) => string | null) {
    this.#readLink = readLink;
  }

  /** Directory of the layer that was shown the last time; null for none. */
  get layer(): string | null {
    return this.#shown?.replace(/\/node_modules$/, '') ?? null;
  }

  /** Whether it is another than the last time; its programs are on the PATH then. */
  changed(): boolean {
    const shown = this.#readLink(LINK);
    if (shown === this.#shown) return false;
    if (this.#shown === null) process.env.PATH = [PROGRAMS, process.env.PATH].join(':');
    this.#shown = shown;
    return true;
  }
}
