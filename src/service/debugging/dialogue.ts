import { ServiceError } from '../../errors.ts';
import type { DebuggerSpec } from '../../toolchains/debugger.ts';
import { launchArguments } from './launch.ts';
import { fieldsOf, isRequest, type Message, type Request } from './message.ts';

/** Of a program that was killed, as a shell tells it. */
export const KILLED = 137;
/** Asked of an adapter, what only a client could do for it, outside of the sandbox. */
const NOT_OURS = { supportsRunInTerminalRequest: false, supportsStartDebuggingRequest: false };

/** What goes to either side, in order. */
export interface Said {
  readonly toClient: readonly Message[];
  readonly toAdapter: readonly Message[];
}

const NOTHING: Said = { toClient: [], toAdapter: [] };

/**
 * What a client and its adapter say to each other, without sockets and processes. All is handed on but for the few requests that would
 * lead out of the sandbox, or that this adapter would leave unanswered; and that a program has ended is always told by `exited` and
 * then `terminated`. Messages to the client are numbered here, since some of them are ours.
 */
export class Dialogue {
  readonly #spec: DebuggerSpec;
  readonly #place: (path: string | undefined, field: string) => string;
  readonly #cells: DebuggerSpec['cells'] | null;
  /** The request that begins, while it is unanswered: of cells it goes to the adapter by another name. */
  #beginning: Request | null = null;
  #seq = 0;
  #disconnect: Request | null = null;
  #answeredDisconnect = false;
  #programRuns = false;
  #toldTerminated = false;

  /** `ofCells`: a kernel is debugged, which lives on, and no program. */
  constructor(
    spec: DebuggerSpec,
    place: (path: string | undefined, field: string) => string,
    ofCells = false,
  ) {
    this.#spec = spec;
    this.#place = place;
    this.#cells = (ofCells && spec.cells) || null;
  }

  /** The client has asked to end it. */
  get isEnding(): boolean {
    return this.#disconnect !== null;
  }

  /** It has, and that is answered. */
  get isOver(): boolean {
    return this.#answeredDisconnect;
  }

  fromClient(message: Message): Said {
    // Nothing is asked of clients, so that they have nothing to answer.
    if (!isRequest(message)) return NOTHING;
    const { command } = message;
    if (this.#cells) {
      if (command === 'launch' || command === 'attach') return this.#attach(message, this.#cells);
      if (command === 'terminate')
        return this.#refuse(message, 'Cells are cancelled, or their context is restarted');
      if (command === 'disconnect') {
        this.#disconnect = message;
        const left = { restart: false, terminateDebuggee: false };
        return this.#pass({ ...message, arguments: left });
      }
    }
    switch (command) {
      case 'initialize':
        return this.#pass({ ...message, arguments: { ...fieldsOf(message.arguments), ...NOT_OURS } });
      case 'launch':
        return this.#launch(message);
      case 'attach':
        return this.#refuse(message, 'Programs of a session are launched; there is nothing to attach to');
      case 'disconnect':
        this.#disconnect = message;
        return this.#pass(message);
      default:
        return Object.hasOwn(this.#spec.unanswered, command)
          ? this.#refuse(message, `${this.#spec.name} has no ${command}`)
          : this.#pass(message);
    }
  }

  /** `whyItEnded` is asked once a program has: in words, where a limit has ended it. */
  async fromAdapter(message: Message, whyItEnded: () => Promise<string | null>): Promise<Said> {
    // By no means what it asks for: it may be a program that speaks.
    if (isRequest(message)) return { toClient: [], toAdapter: [refusal(message, 'Not done here')] };
    if (message.type === 'response') return this.#client(this.#response(message));
    switch (message.event) {
      case 'output':
        // Nobody may be told anything before `initialize` is answered, and the adapter's statistics nobody needs.
        return fieldsOf(message.body).category === 'telemetry' ? NOTHING : this.#client(message);
      case 'process':
        this.#programRuns = !this.#cells;
        return this.#client(message);
      case 'exited':
        return this.#client(...(await this.#why(whyItEnded)), ...this.#exit(message));
      case 'terminated':
        return this.#client(...this.#exit(null), ...this.#terminate(message));
      default:
        return this.#isOwn(message) ? NOTHING : this.#client(message);
    }
  }

  /** What is left to be told when the adapter has gone. */
  async adapterGone(whyItEnded: () => Promise<string | null>): Promise<readonly Message[]> {
    const why = this.#programRuns ? await this.#why(whyItEnded) : [];
    const told = [...why, ...this.#exit(null), ...this.#terminate(event('terminated'))];
    return this.#client(...told, ...this.#lastAnswer()).toClient;
  }

  #launch(message: Request): Said {
    try {
      return this.#pass({
        ...message,
        arguments: launchArguments(message.arguments, this.#spec, this.#place),
      });
    } catch (error) {
      if (error instanceof ServiceError) return this.#refuse(message, error.message);
      throw error;
    }
  }

  #attach(message: Request, { attach }: NonNullable<DebuggerSpec['cells']>): Said {
    this.#beginning = message;
    return this.#pass({ ...message, command: 'attach', arguments: attach });
  }

  /** Capabilities are claims, of which those are taken back that are not met. */
  #response(message: Message): Message {
    if (this.#beginning && message.request_seq === this.#beginning.seq) {
      const { command } = this.#beginning;
      this.#beginning = null;
      return { ...message, command };
    }
    if (this.#disconnect && message.request_seq === this.#disconnect.seq) this.#answeredDisconnect = true;
    if (message.command !== 'initialize' || message.success !== true) return message;
    const ofPrograms = this.#cells ? ['supportsTerminateRequest', 'supportTerminateDebuggee'] : [];
    const missing = [...Object.values(this.#spec.unanswered), ...ofPrograms];
    const lacks = missing.map(capability => [capability, false] as const);
    return { ...message, body: { ...fieldsOf(message.body), ...Object.fromEntries(lacks) } };
  }

  #isOwn({ event }: Message): boolean {
    return typeof event === 'string' && this.#spec.ownEvents.includes(event);
  }

  #exit(told: Message | null): Message[] {
    if (!this.#programRuns) return told ? [told] : [];
    this.#programRuns = false;
    return [told ?? event('exited', { exitCode: KILLED })];
  }

  #terminate(told: Message): Message[] {
    if (this.#toldTerminated) return [];
    this.#toldTerminated = true;
    return [told];
  }

  async #why(whyItEnded: () => Promise<string | null>): Promise<Message[]> {
    const words = await whyItEnded();
    return words === null ? [] : [event('output', { category: 'important', output: `${words}\n` })];
  }

  #lastAnswer(): Message[] {
    const asked = this.#disconnect;
    if (!asked || this.#answeredDisconnect) return [];
    this.#answeredDisconnect = true;
    return [{ seq: 0, type: 'response', request_seq: asked.seq, command: asked.command, success: true }];
  }

  #pass(message: Message): Said {
    return { toClient: [], toAdapter: [message] };
  }

  #refuse(message: Request, words: string): Said {
    return this.#client(refusal(message, words));
  }

  #client(...messages: readonly Message[]): Said {
    return { toClient: messages.map(message => ({ ...message, seq: ++this.#seq })), toAdapter: [] };
  }
}

function refusal({ seq: request_seq, command }: Request, words: string): Message {
  const body = { error: { id: 1, format: words, showUser: true } };
  return { seq: 0, type: 'response', request_seq, command, success: false, message: words, body };
}

function event(name: string, body?: object): Message {
  return { seq: 0, type: 'event', event: name, ...(body && { body }) };
}
