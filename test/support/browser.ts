// biome-ignore-all lint/suspicious/noExplicitAny: tests look into what a page returned
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { chromium } from './needs.ts';

/** What a browser may take to end by itself. */
const END_MS = 10_000;

/** Keys whose codes are not their letters'. */
const KEYS: Readonly<Record<string, { code?: string; keyCode: number; text?: string }>> = {
  Enter: { keyCode: 13, text: '\r' },
  Tab: { keyCode: 9 },
  Escape: { keyCode: 27 },
  Backspace: { keyCode: 8 },
  ' ': { code: 'Space', keyCode: 32, text: ' ' },
  Home: { keyCode: 36 },
  End: { keyCode: 35 },
  ArrowLeft: { keyCode: 37 },
  ArrowUp: { keyCode: 38 },
  ArrowRight: { keyCode: 39 },
  ArrowDown: { keyCode: 40 },
};

/**
 * A real Chromium without a screen, spoken to over the DevTools protocol. One page is enough for every test. It is
 * spoken to through its descriptors 3 and 4, each message ended by a zero byte: once those close it ends, also when
 * the tests were killed. Its program is often a script that starts the real one, which no signal to it would reach.
 */
export class Browser implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #profile: string;
  readonly #to: Writable;
  readonly #calls = new Map<number, { answered(message: any): void; lost(reason: Error): void }>();
  #nextId = 1;
  #session: string | undefined;
  /** What the page wrote to its console as errors. */
  readonly problems: string[] = [];

  private constructor(child: ChildProcess, profile: string) {
    this.#child = child;
    this.#profile = profile;
    this.#to = child.stdio[3] as Writable;
    this.#to.on('error', () => {});
    let held = '';
    (child.stdio[4] as Readable).setEncoding('utf8').on('data', text => {
      const messages = (held + text).split('\0');
      held = messages.pop()!;
      for (const message of messages) this.#take(JSON.parse(message));
    });
    child.on('exit', () => {
      for (const { lost } of this.#calls.values()) lost(new Error('the browser ended'));
    });
  }

  static async launch(): Promise<Browser> {
    const profile = await mkdtemp(join(tmpdir(), 'codebeaker-browser-'));
    const flags = [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--no-first-run',
    ];
    const own = [`--user-data-dir=${profile}`, '--remote-debugging-pipe', 'about:blank'];
    const stdio = ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] as const;
    const child = spawn(chromium()!, [...flags, ...own], { stdio: [...stdio], detached: true });
    const browser = new Browser(child, profile);
    await browser.#openPage();
    return browser;
  }

  /** Loads a page and waits until it has loaded. */
  async goto(url: string): Promise<void> {
    await this.call('Page.navigate', { url });
    await this.until(
      `document.readyState === 'complete' && location.href.startsWith(${JSON.stringify(url)})`,
    );
  }

  /** Evaluates an expression in the page; a promise is waited for. */
  async evaluate(expression: string): Promise<any> {
    const params = { expression, awaitPromise: true, returnByValue: true, userGesture: true };
    const { result, exceptionDetails } = await this.call('Runtime.evaluate', params);
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  /** Waits until an expression is true in the page; resolves to its value. */
  async until(expression: string, ms = 60_000): Promise<any> {
    for (const end = Date.now() + ms; Date.now() < end; ) {
      const value = await this.evaluate(expression).catch(() => undefined);
      if (value) return value;
      await new Promise(resolve => setTimeout(resolve, 50));
    }
    throw new Error(`never true in the page: ${expression}\n${this.problems.join('\n')}`);
  }

  /** Types as a person does, into what has the focus. */
  async type(text: string): Promise<void> {
    await this.call('Input.insertText', { text });
  }

  /** Presses a key and lets it go. @param modifiers 1 Alt, 2 Ctrl, 4 Meta, 8 Shift, added up */
  async press(key: string, modifiers = 0): Promise<void> {
    const {
      code = key,
      keyCode = key.toUpperCase().charCodeAt(0),
      text,
    } = KEYS[key] ?? { code: `Key${key.toUpperCase()}`, text: key };
    const params = { key, code, windowsVirtualKeyCode: keyCode, modifiers };
    const types = modifiers < 8 && modifiers > 0 ? {} : { ...(text !== undefined && { text }) };
    await this.call('Input.dispatchKeyEvent', { type: 'keyDown', ...params, ...types });
    await this.call('Input.dispatchKeyEvent', { type: 'keyUp', ...params });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const child = this.#child;
    const exited = child.exitCode !== null || child.signalCode !== null ? null : once(child, 'exit');
    this.#to.end();
    const late = setTimeout(() => process.kill(-child.pid!, 'SIGKILL'), END_MS);
    await exited;
    clearTimeout(late);
    await rm(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }

  async #openPage(): Promise<void> {
    const { targetId } = await this.call('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await this.call('Target.attachToTarget', { targetId, flatten: true });
    this.#session = sessionId;
    for (const domain of ['Page', 'Runtime', 'Log']) await this.call(`${domain}.enable`);
  }

  /** A command of the DevTools protocol (https://chromedevtools.github.io/devtools-protocol/). */
  call(method: string, params: object = {}): Promise<any> {
    const id = this.#nextId++;
    const session = this.#session ? { sessionId: this.#session } : {};
    this.#to.write(`${JSON.stringify({ id, method, params, ...session })}\0`);
    return new Promise((resolve, lost) => {
      const answered = ({ result, error }: any) => (error ? lost(new Error(error.message)) : resolve(result));
      this.#calls.set(id, { answered, lost });
    });
  }

  #take(message: any): void {
    if (message.method === 'Log.entryAdded' && message.params.entry.level === 'error') {
      this.problems.push(`${message.params.entry.text} ${message.params.entry.url ?? ''}`);
    }
    this.#calls.get(message.id)?.answered(message);
    this.#calls.delete(message.id);
  }
}
