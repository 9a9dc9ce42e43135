const LISTENS = /^Debugger listening on (ws:\/\/127\.0\.0\.1:\d+\/\S+)$/;
/** What Node.js and Deno say of their debugger, among what the program prints. */
const NOISE: ReadonlySet<string> = new Set([
  'For help, see: https://nodejs.org/learn/getting-started/debugging',
  'For help, see: https://nodejs.org/en/docs/inspector',
  'Debugger attached.',
  'Waiting for the debugger to disconnect...',
  'Visit chrome://inspect to connect to the debugger.',
  'Deno is waiting for debugger to connect.',
  'Debugger session started.',
  'Debugger session ended',
  'Debugger session ended (runtime was torn down)',
]);

/** Takes lines out of a stream without holding back what can be none of them. */
export class V8Noise {
  readonly #tell: (text: string) => void | Promise<void>;
  readonly #listens: (url: string) => void;
  #begun = '';

  constructor(tell: (text: string) => void | Promise<void>, listens: (url: string) => void) {
    this.#tell = tell;
    this.#listens = listens;
  }

  async add(text: string): Promise<void> {
    const lines = (this.#begun + text).split('\n');
    const last = lines.pop()!;
    let told = lines
      .filter(line => !this.#isNoise(line))
      .map(line => `${line}\n`)
      .join('');
    if (mayBecomeNoise(last)) this.#begun = last;
    else {
      this.#begun = '';
      told += last;
    }
    if (told !== '') await this.#tell(told);
  }

  async end(): Promise<void> {
    if (this.#begun !== '') await this.#tell(this.#begun);
  }

  #isNoise(line: string): boolean {
    const [, url] = LISTENS.exec(line) ?? [];
    if (url === undefined) return NOISE.has(line);
    this.#listens(url);
    return true;
  }
}

function mayBecomeNoise(begun: string): boolean {
  if (begun === '') return false;
  const listens = 'Debugger listening on ws://';
  const could = (whole: string) => whole.startsWith(begun);
  return could(listens) || (begun.startsWith(listens) && begun.length < 200) || [...NOISE].some(could);
}
