import headless from '@xterm/headless';
import type { Terminal } from './terminal.ts';

/** What a client's xterm.js shows of a terminal, without a page around it. */
export class Screen {
  readonly #terminal: Terminal;
  readonly #xterm: InstanceType<typeof headless.Terminal>;
  #shown = 0;

  constructor(terminal: Terminal, size = { cols: 80, rows: 24 }) {
    this.#terminal = terminal;
    this.#xterm = new headless.Terminal({ ...size, allowProposedApi: true });
  }

  /** Its lines from the top of the window to the bottom, as far as its bytes have come. */
  async text(): Promise<string> {
    await this.#catchUp();
    const { active } = this.#xterm.buffer;
    const lines = Array.from({ length: this.#xterm.rows }, (_, row) =>
      active
        .getLine(active.viewportY + row)!
        .translateToString(true)
        .trimEnd(),
    );
    return lines.join('\n');
  }

  /** A program has it for itself, and gives back what was there before. */
  async isAlternate(): Promise<boolean> {
    await this.#catchUp();
    return this.#xterm.buffer.active.type === 'alternate';
  }

  /** The colour of the palette in which it shows a word; -1: its own. */
  async colourOf(word: string): Promise<number | undefined> {
    const row = (await this.text()).split('\n').findLastIndex(line => line.startsWith(word));
    const { active } = this.#xterm.buffer;
    return active
      .getLine(active.viewportY + row)
      ?.getCell(0)
      ?.getFgColor();
  }

  async resize(cols: number, rows: number): Promise<void> {
    await this.#catchUp();
    this.#xterm.resize(cols, rows);
    await this.#terminal.resize(cols, rows);
  }

  #catchUp(): Promise<void> {
    const fresh = this.#terminal.bytes.subarray(this.#shown);
    this.#shown += fresh.byteLength;
    return new Promise(resolve => this.#xterm.write(fresh, resolve));
  }
}
