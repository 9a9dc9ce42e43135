import { invalid } from '../../errors.ts';
import { type Process, type ProcessExit, SandboxLost } from '../../sandbox.ts';
import { CAUSE_IN_WORDS } from '../../schemas/outcome.ts';
import type { DebuggerSpec } from '../../toolchains/debugger.ts';
import { BadFrame, ContentLengthReader, framed } from '../../wire/content-length.ts';
import { pace } from '../events/pace.ts';
import type { DebugConnection, DebugEnd, TellDebugger } from '../service.ts';
import type { Session } from '../sessions/session.ts';
import { Dialogue, KILLED } from './dialogue.ts';
import { BadMessage, fieldsOf, type Message, readMessage } from './message.ts';

const MB = 1024 * 1024;
/** What a killed program's exit code is: as a shell tells it, as Delve does, and as debugpy, the lowest byte of that. */
const KILLED_CODES: readonly unknown[] = [KILLED, -9, 247];
/** Most characters of an adapter's last words. */
const MOST_WORDS = 8192;
/** An adapter that has not answered `disconnect` by then is ended, milliseconds. */
const DISCONNECT_MS = 5000;

/** The cells of a context that a debugger is for. */
export interface DebuggedCells {
  /** Event by which the adapter says, once, where it waits for their kernel. */
  readonly waits: string;
  /** Has the kernel connect, once no cell runs; resolves to whether it has. */
  connect(port: number): Promise<boolean>;
}

/** An adapter that runs in a session, and the one client that speaks to it. */
export class DebugSession implements DebugConnection {
  readonly #session: Session;
  readonly #process: Process;
  readonly #dialogue: Dialogue;
  readonly #cells: DebuggedCells | null;
  readonly #onClosed: () => void;
  /** Programs killed for memory before there was one of this session's. */
  readonly #oomKillsBefore: Promise<number>;
  #tell: TellDebugger = () => {};
  #words = '';
  #patience: NodeJS.Timeout | undefined;
  #connects = false;
  #closed = false;

  /** `onClosed` is called once, when it is closed. */
  constructor(parts: {
    session: Session;
    process: Process;
    spec: DebuggerSpec;
    cells: DebuggedCells | null;
    onClosed: () => void;
  }) {
    const { session, process, spec, cells } = parts;
    this.#cells = cells;
    this.#session = session;
    this.#process = process;
    this.#onClosed = parts.onClosed;
    const place = (path: string | undefined, field: string) => session.directory(path, field);
    this.#dialogue = new Dialogue(spec, place, cells !== null);
    this.#oomKillsBefore = this.#oomKills();
  }

  async carry(tell: TellDebugger): Promise<DebugEnd> {
    this.#tell = tell;
    try {
      return (await this.#listen()) ?? { how: 'disconnected', words: '' };
    } catch (error) {
      if (error instanceof SandboxLost) return await this.#lost(error);
      if (!(error instanceof BadFrame || error instanceof BadMessage)) throw error;
      this.#process.kill();
      return await this.#gone(`The debugger said what is no message: ${error.message}`);
    } finally {
      this.close();
    }
  }

  async send(text: string): Promise<void> {
    const { toAdapter, toClient } = this.#dialogue.fromClient(clients(text));
    this.#session.touch();
    if (this.#dialogue.isEnding)
      this.#patience ??= setTimeout(() => this.#process.kill(), DISCONNECT_MS).unref();
    await this.#pass(toAdapter, toClient);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#patience);
    // With the program, wherever it stands.
    this.#process.kill();
    this.#onClosed();
  }

  /** Null when its client had it end. */
  async #listen(): Promise<DebugEnd | null> {
    const reader = new ContentLengthReader();
    for await (const event of this.#process.events) {
      if (event.type === 'exit') return this.#gone(this.#words || endInWords(event));
      if (event.type !== 'output') continue;
      if (event.stream === 'stderr') this.#hear(event.data);
      else for (const text of reader.push(event.data)) await this.#onText(text);
      if (this.#dialogue.isOver) return null;
    }
    return null;
  }

  async #onText(text: string): Promise<void> {
    await pace.take(text.length);
    // A program that stands at a breakpoint is not idle while its debugger is asked about it.
    this.#session.touch();
    const message = readMessage(text);
    if (this.#cells && message.event === this.#cells.waits) return this.#connect(this.#cells, message);
    const why = () => this.#why(fieldsOf(message.body).exitCode);
    const { toAdapter, toClient } = await this.#dialogue.fromAdapter(message, why);
    await this.#pass(toAdapter, toClient);
  }

  /** Once; the adapter's word for where is one that only its own sandbox is told. */
  #connect(cells: DebuggedCells, { body }: Message): void {
    const { port } = fieldsOf(body);
    if (!isPort(port)) throw new BadMessage('port is none');
    if (this.#connects) throw new BadMessage('it waits for a second kernel');
    this.#connects = true;
    const failed = (words: string) => {
      this.#words = words;
      this.#process.kill();
    };
    cells.connect(port).then(
      isConnected => isConnected || failed('The context could not be connected to its debugger'),
      (error: Error) => failed(error.message),
    );
  }

  /** The client is told all that there is to tell. */
  async #gone(words: string): Promise<DebugEnd> {
    const wanted = this.#dialogue.isEnding;
    await this.#pass([], await this.#dialogue.adapterGone(() => this.#why(KILLED)));
    return wanted ? { how: 'disconnected', words: '' } : { how: 'adapter_died', words };
  }

  async #lost({ outOfMemory }: SandboxLost): Promise<DebugEnd> {
    const why = async () => (outOfMemory ? this.#memoryInWords() : null);
    await this.#pass([], await this.#dialogue.adapterGone(why));
    return { how: 'session_ended', words: 'The session has ended' };
  }

  async #pass(toAdapter: readonly Message[], toClient: readonly Message[]): Promise<void> {
    const written = toAdapter.map(message => this.#process.write(framed(JSON.stringify(message))));
    const told = toClient.map(message => this.#tell(JSON.stringify(message)));
    await Promise.all([...written, ...told]);
  }

  /** The programs of the whole sandbox are counted where there is no meter of this one: it may be another that was killed. */
  async #why(exitCode: unknown): Promise<string | null> {
    if (!this.#process.meter && !KILLED_CODES.includes(exitCode)) return null;
    return (await this.#oomKills()) > (await this.#oomKillsBefore) ? this.#memoryInWords() : null;
  }

  #memoryInWords(): string {
    const { memoryBytes } = this.#session.lease.limits;
    return `${CAUSE_IN_WORDS.memory_limit}: the session has ${memoryBytes / MB} MB`;
  }

  async #oomKills(): Promise<number> {
    const { oomKills } = await (this.#process.meter ?? this.#session.lease.sandbox).measure();
    return oomKills;
  }

  /** Only the last line is told, which says of an exception of Python's what it was. */
  #hear(data: Uint8Array): void {
    const words = (this.#words + Buffer.from(data).toString('utf8')).slice(-MOST_WORDS);
    this.#words = words.slice(words.trimEnd().lastIndexOf('\n') + 1).trimEnd();
  }
}

function isPort(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) > 0 && (value as number) < 65536;
}

/** @throws {ServiceError} VALIDATION_ERROR */
function clients(text: string): Message {
  try {
    return readMessage(text);
  } catch (error) {
    throw error instanceof BadMessage ? invalid('message', error.message) : error;
  }
}

function endInWords({ code, signal }: ProcessExit): string {
  return signal ? `The debugger was ended by ${signal}` : `The debugger ended with ${code}`;
}
