import { randomUUID } from 'node:crypto';
import { ServiceError } from '../../src/errors.ts';
import type { Ledger } from '../../src/service/admission/ledger.ts';
import type { CallLog } from '../../src/service/call.ts';
import { type Client, Envelopes } from './envelope.ts';
import { type Executed, execute } from './execute.ts';
import { History } from './history.ts';
import type { Interpreter } from './interpreter.ts';
import { BadMessage, type Fields, type Message, type Outgoing } from './message.ts';
import { QUESTIONS } from './questions.ts';
import type { Spec } from './specs.ts';
import { Turns } from './turns.ts';

/** Most requests of a kernel that wait, and sockets that it has. */
const MOST_WAITING = 1000;
const MOST_CLIENTS = 16;
/** Most characters of an answer to input(), and of a comm's name. */
const MOST_ANSWER = 1024 * 1024;
const MOST_COMM_ID = 256;

type State = 'starting' | 'idle' | 'busy' | 'dead';

/**
 * A session as Jupyter's clients see it: requests of all its sockets in the order they came, one at a time; what they cause is told to
 * every socket, and answered on the one that asked. A client that leaves ends nothing.
 */
export class Kernel {
  /** Opens its sockets, which come without keys: nobody can guess it. */
  readonly id = randomUUID();
  readonly owner: string | null;
  readonly spec: Spec;
  lastActivity = new Date();
  state: State = 'starting';
  readonly #interpreter: Interpreter;
  readonly #info: () => Promise<Fields>;
  /** Ends its session. */
  readonly end: () => Promise<void>;
  readonly #held: Ledger;
  readonly #log: CallLog;
  readonly #clients = new Set<Client>();
  readonly #envelopes = new Envelopes(randomUUID());
  readonly #history = new History();
  readonly #turns: Turns;
  /** Cells that were counted. */
  #count = 0;
  /** Who is asked for what input() reads. */
  #asked: Client | null = null;
  /** A restart that has not begun, for all who ask for one until then. */
  #restarting: Promise<void> | null = null;

  constructor(parts: {
    spec: Spec;
    owner: string | null;
    interpreter: Interpreter;
    /** Content of `kernel_info_reply`. */
    info: () => Promise<Fields>;
    end: () => Promise<void>;
    /** Counts messages until they have been dealt with: their clients need not stay for that. */
    held: Ledger;
    log: CallLog;
  }) {
    this.owner = parts.owner;
    this.spec = parts.spec;
    this.#interpreter = parts.interpreter;
    this.#info = parts.info;
    this.end = parts.end;
    this.#held = parts.held;
    this.#log = parts.log;
    this.#turns = new Turns(parts.log);
    this.#turns
      .take({ run: () => this.#begin(), isCell: false })
      .catch(error => this.#log.error({ err: error }, 'a kernel did not begin'));
  }

  get connections(): number {
    return this.#clients.size;
  }

  /** False when it has as many as it may. */
  join(client: Client): boolean {
    if (this.#clients.size >= MOST_CLIENTS || this.state === 'dead') return false;
    this.#clients.add(client);
    client.gone.addEventListener('abort', () => this.#leave(client), { once: true });
    return true;
  }

  /**
   * Takes a client's message, of so many bytes in memory; resolves when it has been dealt with.
   * @throws {BadMessage | ServiceError} QUEUE_FULL
   */
  async receive(message: Message, bytes: number, client: Client): Promise<void> {
    this.lastActivity = new Date();
    if (message.channel === 'stdin') return this.#answered(message, client);
    if (message.channel === 'control' || message.type === 'shutdown_request')
      return this.#control(message, bytes, client);
    if (message.channel !== 'shell') throw new BadMessage('iopub is not for clients to send on');
    if (message.type === 'kernel_info_request' && this.state === 'starting')
      return this.#introduce(message, client);
    if (this.#turns.waiting >= MOST_WAITING) throw new BadMessage(`over ${MOST_WAITING} requests wait`);
    await this.#hold(bytes, () => {
      const isCell = message.type === 'execute_request';
      return this.#turns.take({ run: aborted => this.#request(message, client, aborted), isCell });
    });
  }

  /** What waits goes on, unless the cell that this ends has it stopped. */
  interrupt(): Promise<void> {
    return this.#interpreter.interrupt();
  }

  /** Resolves when a fresh interpreter is ready; what ran or waited is ended. */
  async restart(): Promise<void> {
    this.#turns.abortCells();
    this.#restarting ??= this.#turns.takeFirst({ run: () => this.#restart(), isCell: false });
    this.#interpreter.stop();
    await this.#restarting;
  }

  /** A client that is there keeps it from ending for want of use. */
  async keepAlive(): Promise<void> {
    if (this.#clients.size > 0 && this.state !== 'dead') await this.#interpreter.keepAlive();
  }

  /** Its session has ended. */
  ended(): void {
    if (this.state === 'dead') return;
    this.state = 'dead';
    this.#turns.abortCells();
    this.#interpreter.stop();
    void this.#tellState(null, 'dead').then(() => {
      for (const client of this.#clients) client.close(1001, 'The kernel has ended');
    });
  }

  /** What may wait for its turn is counted until it has had it. @throws {ServiceError} QUEUE_FULL */
  async #hold(bytes: number, act: () => Promise<void>): Promise<void> {
    if (!this.#held.take(this.owner, bytes))
      throw new ServiceError('QUEUE_FULL', 'Too much waits in kernels already; try again later');
    try {
      await act();
    } finally {
      this.#held.add(this.owner, -bytes);
    }
  }

  #leave(client: Client): void {
    this.#clients.delete(client);
    if (this.#asked !== client) return;
    this.#asked = null;
    this.#answer(null);
  }

  async #begin(): Promise<void> {
    await this.#interpreter.prepare();
    await this.#tellState(null, 'idle');
  }

  async #restart(): Promise<void> {
    // A turn that is free begins within takeFirst, before what it returns is kept.
    await Promise.resolve();
    this.#restarting = null;
    await this.#interpreter.restart();
    this.#count = 0;
    this.#history.clear();
    await this.#tellState(null, 'starting');
    await this.#begin();
  }

  /** The interpreter has ended by itself: its clients take that for a restart. */
  async #lost(): Promise<void> {
    await this.#tellState(null, 'restarting');
    await this.#tellState(null, 'starting');
    await this.#tellState(null, 'idle');
  }

  async #request(message: Message, client: Client, aborted: boolean): Promise<void> {
    const { type, header } = message;
    const reply = (content: Fields) => this.#reply(message, content, client);
    this.#interpreter.begin();
    await this.#tellState(header, 'busy');
    let lost = false;
    try {
      if (type === 'execute_request') lost = await this.#execute(message, client, aborted);
      else if (Object.hasOwn(QUESTIONS, type))
        await reply(await QUESTIONS[type]!(message.content, this.#answers()));
      else if (type === 'comm_open') await this.#refuseComm(message);
    } finally {
      await this.#tellState(header, 'idle');
    }
    if (lost) await this.#lost();
  }

  /**
   * Says what it is while its interpreter is not ready, which needs none: jupyter_client asks by this whether a kernel is there, and of one
   * that takes over a second it asks its manager, which that of jupyter_server 2.21.1 does not survive.
   */
  async #introduce(message: Message, client: Client): Promise<void> {
    await this.#tellStatus(message.header, 'busy');
    await this.#reply(message, await this.#info(), client);
    await this.#tellStatus(message.header, 'idle');
  }

  #answers() {
    return { interpreter: this.#interpreter, history: this.#history, info: this.#info };
  }

  /** Resolves to whether the interpreter has ended. */
  async #execute(message: Message, client: Client, aborted: boolean): Promise<boolean> {
    const { content, header } = message;
    if (aborted) {
      await this.#reply(message, { status: 'aborted' }, client);
      return false;
    }
    const { code, silent, store_history, stop_on_error } = content;
    if (typeof code === 'string' && silent !== true && store_history !== false && code.trim() !== '')
      this.#history.add(++this.#count, code);
    let executed: Executed;
    try {
      executed = await execute(content, {
        interpreter: this.#interpreter,
        count: this.#count,
        broadcast: (type, more, metadata = {}) =>
          this.#broadcast({ channel: 'iopub', type, parent: header, metadata, content: more }),
        ask: (prompt, password) => this.#ask(client, { prompt, password }, header),
      });
    } finally {
      this.#asked = null;
    }
    if (executed.failed && stop_on_error !== false) this.#turns.abortCells();
    await this.#reply(message, executed.content, client);
    return executed.lost;
  }

  async #ask(client: Client, content: Fields, parent: string): Promise<void> {
    if (client.gone.aborted) return this.#answer(null);
    this.#asked = client;
    await client.send(this.#envelopes.seal({ channel: 'stdin', type: 'input_request', parent, content }));
  }

  #answered({ type, content: { value } }: Message, client: Client): void {
    if (type !== 'input_reply' || this.#asked !== client) return;
    if (typeof value !== 'string' || value.length > MOST_ANSWER)
      throw new BadMessage(`value must be a string of at most ${MOST_ANSWER} characters`);
    this.#asked = null;
    this.#answer(value);
  }

  #answer(value: string | null): void {
    this.#interpreter
      .answer(value)
      .catch(error => this.#log.error({ err: error }, 'an answer to input() failed'));
  }

  /** What is not kept waiting by cells. Of debugging, which kernel_info denies, nobody asks. */
  async #control(message: Message, bytes: number, client: Client): Promise<void> {
    const { type, header, content } = message;
    const restart = content.restart === true;
    if (type === 'interrupt_request') {
      await this.interrupt();
      return this.#reply(message, { status: 'ok' }, client);
    }
    if (type === 'kernel_info_request') return this.#reply(message, await this.#info(), client);
    if (type !== 'shutdown_request') return;
    // It waits for the interpreter as cells do.
    if (restart) await this.#hold(bytes, () => this.restart());
    await this.#reply(message, { status: 'ok', restart }, client);
    await this.#broadcast({
      channel: 'iopub',
      type: 'shutdown_reply',
      parent: header,
      content: { status: 'ok', restart },
    });
    if (!restart) await this.end();
  }

  /** A comm that nobody takes is closed at once, as the protocol has it. */
  #refuseComm({ header, content }: Message): Promise<void> {
    const { comm_id } = content;
    if (typeof comm_id !== 'string' || comm_id.length > MOST_COMM_ID) return Promise.resolve();
    return this.#broadcast({
      channel: 'iopub',
      type: 'comm_close',
      parent: header,
      content: { comm_id, data: {} },
    });
  }

  async #tellState(parent: string | null, state: State | 'restarting'): Promise<void> {
    if (this.state !== 'dead' && state !== 'restarting') this.state = state;
    this.lastActivity = new Date();
    await this.#tellStatus(parent, state);
  }

  #tellStatus(parent: string | null, state: State | 'restarting'): Promise<void> {
    return this.#broadcast({
      channel: 'iopub',
      type: 'status',
      parent,
      content: { execution_state: state },
    });
  }

  async #broadcast(message: Outgoing): Promise<void> {
    if (this.#clients.size === 0) return;
    const envelope = this.#envelopes.seal(message);
    await Promise.all([...this.#clients].map(client => client.send(envelope)));
  }

  async #reply(message: Message, content: Fields, client: Client): Promise<void> {
    const type = message.type.replace(/_request$/, '_reply');
    const { channel, header: parent } = message;
    await client.send(this.#envelopes.seal({ channel, type, parent, content }));
  }
}
