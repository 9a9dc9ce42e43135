import type { Static } from '@sinclair/typebox';
import type { executeCode } from '../../src/commands/execute-code.ts';
import { parseCommand } from '../../src/commands/parse.ts';
import { cancelled, ServiceError } from '../../src/errors.ts';
import type { CellError } from '../../src/schemas/cell.ts';
import type { ExecutionEvent } from '../../src/schemas/events.ts';
import type { Call } from '../../src/service/call.ts';
import type { RunningProgram, Service } from '../../src/service/service.ts';
import { followedCommand, type Tell } from '../followed-command.ts';
import type { Fields } from './message.ts';
import { question, SETUP } from './python-part.ts';
import { shownBy } from './tag.ts';
import { CellNames } from './traceback-lines.ts';

type CellResult = Static<(typeof executeCode.result.anyOf)[0]>;

/** Seconds for what a client asks of the interpreter beside its cells. */
const QUESTION_S = 10;
/** A cell of JavaScript that only starts its interpreter. */
const NOTHING = 'undefined';

export interface Cell {
  readonly code: string;
  /** Its input() may be answered. */
  readonly asks: boolean;
  /** Its number for who reads it; null for what the door itself asks. */
  readonly count: number | null;
}

/** What came of a cell. */
export interface Ran {
  readonly error: CellError | null;
  /** Why it failed where no exception of its own did it, and a word for that. */
  readonly why: { readonly word: string; readonly words: string } | null;
  /** Of what it showed, some was over what is told of a cell. */
  readonly leftOut: boolean;
  /** The interpreter has ended, and another has taken its place. */
  readonly lost: boolean;
}

interface Running {
  /** A client's cell, and nothing of the door's own. */
  readonly isCell: boolean;
  readonly abort: AbortController;
  executionId: string | null;
  started: boolean;
}

/** The interpreter of a kernel's session. One thing runs in it at a time; whoever uses it waits for that. */
export class Interpreter {
  readonly #service: Pick<Service, 'sessions' | 'processes' | 'capabilities'>;
  readonly #sessionId: string;
  readonly #isPython: boolean;
  readonly #call: Call;
  #running: Running | null = null;
  /** What asks it now was stopped while no cell of its own ran: none of its is to begin. */
  #stopped = false;
  /** Number of the process that ran last, and of the one that was prepared; null for none. */
  #pid: number | null = null;
  #prepared: number | null = null;
  readonly #names = new CellNames();

  constructor(parts: {
    service: Pick<Service, 'sessions' | 'processes' | 'capabilities'>;
    sessionId: string;
    isPython: boolean;
    call: Call;
  }) {
    this.#service = parts.service;
    this.#sessionId = parts.sessionId;
    this.#isPython = parts.isPython;
    this.#call = parts.call;
  }

  /** Before whoever has its turn asks anything: what stops the interpreter from now on stops that, also where it does not run yet. */
  begin(): void {
    this.#stopped = false;
  }

  /** Starts it and gives it what this door needs of it, where that has not been done. What fails here fails again where it is seen. */
  async prepare(): Promise<void> {
    if (this.#prepared !== null) return;
    try {
      const code = this.#isPython ? SETUP : NOTHING;
      const { success } = await this.#execute({ code, asks: false, count: null }, QUESTION_S, async () => {});
      if (success) this.#prepared = this.#pid;
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
    }
  }

  /**
   * Runs a cell to its end, whose events are told before.
   * @throws {ServiceError} VALIDATION_ERROR and the like; CANCELLED when it was interrupted before it began
   */
  async run(cell: Cell, tell: Tell): Promise<Ran> {
    await this.prepare();
    if (this.#stopped) throw cancelled();
    const before = this.#prepared;
    const { success, result, error: words } = await this.#execute(cell, Number.POSITIVE_INFINITY, tell);
    const { error: told = null, outcome = 'cancelled', usage } = (result ?? {}) as Partial<CellResult>;
    const error = told && { ...told, traceback: this.#names.rename(told.traceback) };
    const why =
      success || (error && outcome === 'nonzero_exit') ? null : { word: outcome, words: words ?? outcome };
    if (why) {
      // A limit may have ended the interpreter.
      this.#prepared = null;
      await this.prepare();
    }
    if (this.#prepared !== this.#pid) this.#prepared = null;
    const leftOut = outcome !== 'output_limit' && usage !== undefined && usage.limitsHit.includes('output');
    return { error, why, leftOut, lost: before !== null && this.#pid !== before };
  }

  /** Asks Python something of its own; null where it knows no answer. */
  async ask(...asked: Parameters<typeof question>): Promise<Fields | null> {
    if (!this.#isPython) return null;
    let answer: Fields | null = null;
    const tell = async (event: ExecutionEvent) => {
      if (event.method !== 'execution.result') return;
      const shown = shownBy(event.params.mimeBundle);
      if (shown.kind === 'reply') answer = shown.reply;
    };
    try {
      await this.prepare();
      if (this.#stopped) return null;
      await this.#execute({ code: question(...asked), asks: false, count: null }, QUESTION_S, tell);
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
    }
    return answer;
  }

  /** Has what runs end as by Ctrl+C; its program may go on all the same. */
  async interrupt(): Promise<void> {
    const running = this.#running;
    if (!running?.isCell || !running.started) this.#stopped = true;
    if (!running?.executionId || !running.started) return running?.abort.abort();
    await this.#unlessOver(
      this.#service.processes.signal({ executionId: running.executionId }, 'SIGINT', this.#call),
    );
  }

  /** Ends what runs, at once. */
  stop(): void {
    this.#stopped = true;
    this.#running?.abort.abort();
  }

  /** What a person has typed, for input(); null when nobody can be asked. */
  async answer(value: string | null): Promise<void> {
    const executionId = this.#running?.executionId;
    if (!executionId) return;
    const line = value === null ? Buffer.alloc(0) : Buffer.from(`${JSON.stringify(value)}\n`);
    await this.#unlessOver(this.#service.processes.input({ executionId }, line, value === null, this.#call));
  }

  /** A fresh one takes its place; files stay. */
  async restart(): Promise<void> {
    this.#prepared = null;
    const command = parseCommand({ type: 'restart_context' });
    await this.#service.sessions.execute(this.#sessionId, command, this.#call);
  }

  keepAlive(): Promise<unknown> {
    return this.#service.sessions.keepAlive(this.#sessionId, this.#call);
  }

  /** `seconds` is the cell's time, where the operator allows so much. */
  async #execute({ code, asks, count }: Cell, seconds: number, tell: Tell) {
    const running: Running = {
      isCell: count !== null,
      abort: new AbortController(),
      executionId: null,
      started: false,
    };
    this.#running = running;
    const call = { ...this.#call, signal: AbortSignal.any([this.#call.signal, running.abort.signal]) };
    try {
      const { maxTimeout } = (await this.#service.capabilities()).limits;
      const timeout = Math.min(seconds, maxTimeout);
      const command = parseCommand({ type: 'execute_code', code, timeout }, 'content');
      return await followedCommand(
        this.#service.sessions,
        { sessionId: this.#sessionId, command, call },
        tell,
        {
          interactive: asks && this.#isPython,
          onTaken: ({ executionId }) => {
            running.executionId = executionId;
          },
          onStarted: ({ pid }: RunningProgram) => {
            running.started = true;
            if (this.#pid !== pid) this.#names.clear();
            this.#pid = pid;
            this.#names.begin(count);
          },
        },
      );
    } finally {
      this.#running = null;
    }
  }

  /** What comes after a program's end is of no interest to it. */
  async #unlessOver(done: Promise<void>): Promise<void> {
    await done.catch(error => {
      if (!(error instanceof ServiceError)) throw error;
    });
  }
}
