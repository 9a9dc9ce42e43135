import { once } from 'node:events';
import { type ClientOptions, WebSocket } from 'ws';
import { ContentLengthReader, framed } from '../../src/wire/content-length.ts';

// biome-ignore lint/suspicious/noExplicitAny: tests look into what a debugger said
type Message = any;

const closing = (messages: readonly Message[]) =>
  messages.map(({ event, command, message }) => event ?? `${command} ${message ?? ''}`).join(', ');

/** A client of the Debug Adapter Protocol, as text or with headers, which also does what no well-behaved one would. */
export class DapClient implements Disposable {
  readonly socket: WebSocket;
  /** All that was told, in order. */
  readonly messages: Message[] = [];
  closed: { code: number; reason: string } | undefined;
  readonly #framed: boolean;
  readonly #reader = new ContentLengthReader();
  #seq = 0;
  #wake: (() => void)[] = [];

  private constructor(socket: WebSocket, isFramed: boolean) {
    this.socket = socket;
    this.#framed = isFramed;
    socket.on('error', () => {});
    socket.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() };
      this.#woken();
    });
    socket.on('message', (data: Buffer, isBinary) => {
      const texts = isBinary ? this.#reader.push(data) : [data.toString('utf8')];
      for (const text of texts) this.messages.push(JSON.parse(text));
      this.#woken();
    });
  }

  static async connect(
    url: string,
    { framed = false, ...options }: ClientOptions & { framed?: boolean } = {},
  ): Promise<DapClient> {
    const socket = new WebSocket(url, options);
    const client = new DapClient(socket, framed);
    await once(socket, 'open');
    return client;
  }

  /** Sends it and resolves to its number. */
  say(command: string, args?: unknown): number {
    const seq = ++this.#seq;
    const text = JSON.stringify({
      seq,
      type: 'request',
      command,
      ...(args !== undefined && { arguments: args }),
    });
    this.socket.send(this.#framed ? framed(text) : text);
    return seq;
  }

  answer(seq: number): Promise<Message> {
    return this.#find(({ type, request_seq }) => type === 'response' && request_seq === seq);
  }

  /** Resolves to the body of an answer. @throws {Error} it was refused */
  async ask(command: string, args?: unknown): Promise<Message> {
    const { success, message, body } = await this.answer(this.say(command, args));
    if (!success) throw new Error(message);
    return body ?? {};
  }

  /** The first event of that name from `from` on, in the order of all messages. */
  event(name: string, from = 0): Promise<Message> {
    return this.#find(({ type, event }, at) => type === 'event' && event === name && at >= from);
  }

  /** The next event of that name. */
  next(name: string): Promise<Message> {
    return this.event(name, this.messages.length);
  }

  async ended(): Promise<{ code: number; reason: string }> {
    while (!this.closed) await new Promise<void>(resolve => this.#wake.push(resolve));
    return this.closed;
  }

  /** Launches a program, as editors do: what it is to stop at is set once the debugger is ready for it. */
  async launch(args: object, configure: () => Promise<void> = async () => {}): Promise<void> {
    await this.ask('initialize', {
      adapterID: 'test',
      linesStartAt1: true,
      columnsStartAt1: true,
      pathFormat: 'path',
    });
    await this.launched(args, configure);
  }

  /** The same of a debugger that knows its client. */
  async launched(args: object, configure: () => Promise<void> = async () => {}): Promise<void> {
    const launched = this.say('launch', args);
    await Promise.race([this.event('initialized'), this.#refused(launched)]);
    await configure();
    this.say('configurationDone');
    await this.#refused(launched, true);
  }

  /** What a program has printed so far, by its category. */
  output(category: string): string {
    return this.messages
      .filter(({ event, body }) => event === 'output' && (body.category ?? 'console') === category)
      .map(({ body }) => body.output)
      .join('');
  }

  /** Events that tell the end of a program so far. */
  get ends(): string[] {
    return this.messages.map(({ event }) => event).filter(event => /^(?:exited|terminated)$/.test(event));
  }

  [Symbol.dispose](): void {
    this.socket.terminate();
  }

  /** Never resolves for a success, unless that is waited for. */
  async #refused(seq: number, untilSuccess = false): Promise<void> {
    const { success, message } = await this.answer(seq);
    if (!success) throw new Error(message);
    if (!untilSuccess) await new Promise(() => {});
  }

  async #find(fits: (message: Message, at: number) => boolean): Promise<Message> {
    for (;;) {
      const found = this.messages.find(fits);
      if (found) return found;
      if (this.closed)
        throw new Error(
          `closed with ${this.closed.code} ${this.closed.reason} after: ${closing(this.messages)}`,
        );
      await new Promise<void>(resolve => this.#wake.push(resolve));
    }
  }

  #woken(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}
