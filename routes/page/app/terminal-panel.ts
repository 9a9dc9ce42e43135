import type { ITheme, Terminal } from '@xterm/xterm';
import { bytesOf, type Run, type Session } from 'codebeaker/client';
import { byId } from './elements.ts';
import { announce } from './status.ts';
import { adoptStyles } from './terminal-styles.ts';

/** Lines above the screen that are kept. */
const SCROLLBACK = 2000;
/** The best shell there is. */
const SHELL = 'command -v bash >/dev/null && exec bash -i; exec sh -i';
const LIGHT: ITheme = {
  background: '#fbfcfc',
  foreground: '#1c2b30',
  cursor: '#0b6f66',
  selectionBackground: '#b9dcd8',
};
const DARK: ITheme = {
  background: '#10171a',
  foreground: '#dce5e7',
  cursor: '#58cfc1',
  selectionBackground: '#2b4f52',
};
/** The colours of the terminal are readable on both backgrounds, WCAG 2.2 AA. */
const CONTRAST = 4.5;

/** A shell of the session in a terminal. What is printed there can draw, and do nothing else: no links, titles or clipboard. */
export class TerminalPanel {
  readonly #session: () => Promise<Session>;
  readonly #explain: (error: unknown) => string;
  readonly #screen = byId('screen', HTMLDivElement);
  readonly #aloud = byId('aloud', HTMLInputElement);
  #terminal: Terminal | undefined;
  #run: Run | undefined;
  #typed = '';
  #isTyping = false;

  /** @param session opens it where there is none @param explain says an error of it in words */
  constructor(session: () => Promise<Session>, explain: (error: unknown) => string) {
    this.#session = session;
    this.#explain = explain;
    this.#aloud.onchange = () => {
      if (this.#terminal) this.#terminal.options.screenReaderMode = this.#aloud.checked;
    };
  }

  /** The session of the shell has ended. */
  reset(): void {
    this.#terminal?.dispose();
    this.#terminal = undefined;
    this.#run = undefined;
    this.#typed = '';
  }

  /** Starts a shell if none runs, and brings the keyboard there. */
  async show(): Promise<void> {
    try {
      if (!this.#terminal) await this.#open();
      this.#terminal?.focus();
    } catch (error) {
      this.reset();
      announce(this.#explain(error), 'bad');
    }
  }

  async #open(): Promise<void> {
    // A new one resets this.
    const session = await this.#session();
    // Large, and not everybody wants one.
    const [{ Terminal }, { FitAddon }] = await Promise.all([
      import('@xterm/xterm'),
      import('@xterm/addon-fit'),
    ]);
    if (this.#terminal) return;
    adoptStyles();
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const terminal = new Terminal({
      scrollback: SCROLLBACK,
      screenReaderMode: this.#aloud.checked,
      minimumContrastRatio: CONTRAST,
      fontFamily: getComputedStyle(this.#screen).fontFamily,
      fontSize: 14,
      cursorBlink: !matchMedia('(prefers-reduced-motion: reduce)').matches,
      theme: dark.matches ? DARK : LIGHT,
      linkHandler: { activate: () => {} },
    });
    this.#terminal = terminal;
    dark.onchange = () => {
      terminal.options.theme = dark.matches ? DARK : LIGHT;
    };
    const fit = new FitAddon();
    terminal.loadAddon(fit);
    terminal.open(this.#screen);
    fit.fit();
    const watch = new ResizeObserver(() => {
      if (this.#screen.offsetParent !== null) fit.fit();
    });
    watch.observe(this.#screen);
    // Tab is the shell's; this leads out.
    terminal.attachCustomKeyEventHandler(({ key, shiftKey }) => !(key === 'Tab' && shiftKey));
    const { cols, rows } = terminal;
    const run = await session.terminal('sh', ['-c', SHELL], { cols, rows });
    this.#run = run;
    terminal.onData(data => this.#type(data));
    terminal.onResize(size => run.resize(size.cols, size.rows).catch(() => {}));
    void this.#follow(run, terminal).finally(() => watch.disconnect());
  }

  /** One message at a time: what is typed meanwhile goes with the next. */
  async #type(data: string): Promise<void> {
    this.#typed += data;
    if (this.#isTyping) return;
    this.#isTyping = true;
    while (this.#typed !== '' && this.#run) {
      const typed = this.#typed;
      this.#typed = '';
      // Its end is told by what follows it.
      await this.#run.input(typed).catch(() => {});
    }
    this.#isTyping = false;
  }

  /** The terminal takes one piece before it gets the next. */
  async #follow(run: Run, terminal: Terminal): Promise<void> {
    let end = 'The shell has ended';
    try {
      for await (const event of run)
        if (event.type === 'output') await new Promise<void>(taken => terminal.write(bytesOf(event), taken));
    } catch (error) {
      end = this.#explain(error);
    }
    if (this.#run !== run) return;
    this.#run = undefined;
    terminal.write(`\r\n[${end}. Press Enter for another one]\r\n`);
    terminal.onKey(({ domEvent }) => {
      if (domEvent.key !== 'Enter' || this.#terminal !== terminal) return;
      this.reset();
      void this.show();
    });
  }
}
