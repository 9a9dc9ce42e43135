// biome-ignore-all lint/suspicious/noExplicitAny: tests look into what a page returned
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { chromium } from './needs.ts';
import { DIES_WITH_TESTS } from './start-server.ts';

/** A real Chromium without a screen, spoken to over the DevTools protocol. One page is enough for every test. */
export class Browser implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #profile: string;
  readonly #socket: WebSocket;
  readonly #calls = new Map<number, (message: any) => void>();
  #nextId = 1;
  #session: string | undefined;
  /** What the page wrote to its console as errors. */
  readonly problems: string[] = [];

  private constructor(child: ChildProcess, profile: string, socket: WebSocket) {
    this.#child = child;
    this.#profile = profile;
    this.#socket = socket;
    socket.on('message', data => this.#take(JSON.parse(String(data))));
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
    const own = [`--user-data-dir=${profile}`, '--remote-debugging-port=0', 'about:blank'];
    const child = spawn('setpriv', [...DIES_WITH_TESTS, chromium()!, ...flags, ...own], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const socket = new WebSocket(await debuggingAddress(child), { perMessageDeflate: false });
    await once(socket, 'open');
    const browser = new Browser(child, profile, socket);
    await browser.#openPage();
    return browser;
  }

  /** Loads a page and waits until it has loaded. */
  async goto(url: string): Promise<void> {
    await this.#call('Page.navigate', { url });
    await this.until(
      `document.readyState === 'complete' && location.href.startsWith(${JSON.stringify(url)})`,
    );
  }

  /** Evaluates an expression in the page; a promise is waited for. */
  async evaluate(expression: string): Promise<any> {
    const params = { expression, awaitPromise: true, returnByValue: true, userGesture: true };
    const { result, exceptionDetails } = await this.#call('Runtime.evaluate', params);
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

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
    this.#child.kill('SIGKILL');
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit');
    await rm(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }

  async #openPage(): Promise<void> {
    const { targetId } = await this.#call('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await this.#call('Target.attachToTarget', { targetId, flatten: true });
    this.#session = sessionId;
    for (const domain of ['Page', 'Runtime', 'Log']) await this.#call(`${domain}.enable`);
  }

  #call(method: string, params: object = {}): Promise<any> {
    const id = this.#nextId++;
    const session = this.#session ? { sessionId: this.#session } : {};
    this.#socket.send(JSON.stringify({ id, method, params, ...session }));
    return new Promise((resolve, reject) => {
      this.#calls.set(id, ({ result, error }) =>
        error ? reject(new Error(error.message)) : resolve(result),
      );
    });
  }

  #take(message: any): void {
    if (message.method === 'Log.entryAdded' && message.params.entry.level === 'error') {
      this.problems.push(`${message.params.entry.text} ${message.params.entry.url ?? ''}`);
    }
    this.#calls.get(message.id)?.(message);
    this.#calls.delete(message.id);
  }
}

async function debuggingAddress(child: ChildProcess): Promise<string> {
  let text = '';
  for await (const chunk of child.stderr!) {
    text += chunk;
    const found = /DevTools listening on (ws:\/\/\S+)/.exec(text)?.[1];
    if (found) {
      child.stderr!.resume();
      return found;
    }
  }
  throw new Error(`the browser ended:\n${text}`);
}
