import type { AskedBreakpoint } from './asked-breakpoint.ts';
import type { Breakpoint } from './breakpoints.ts';
import { Debuggee, type DebuggeeListener, type Engine, type Step, type Stop } from './debuggee.ts';
import type { CallFrame } from './inspector.ts';
import { Program, type ProgramListener } from './program.ts';
import { shown } from './values.ts';
import { Variables } from './variables.ts';

/** How programs are started, as their toolchain has it: all before the file, and where the debugger's flag goes. */
export interface Commands {
  readonly engine: Engine;
  readonly flagAt: number;
  readonly javascript: readonly string[];
  readonly typescript: readonly string[];
}

export type Send = (message: object) => void | Promise<void>;
// biome-ignore lint/suspicious/noExplicitAny: whatever a client asks; what is wrong in it fails there
type Args = any;

/** With it Deno does not say where its debugger listens. */
const QUIET = '--quiet';
const FLAGS: Readonly<Record<Engine, string>> = {
  v8: '--inspect-brk=127.0.0.1:0',
  webkit: '--inspect-wait=127.0.0.1:0',
};
const THREAD = { id: 1, name: 'main' };
const CAPABILITIES = {
  supportsConfigurationDoneRequest: true,
  supportsConditionalBreakpoints: true,
  supportsHitConditionalBreakpoints: true,
  supportsLogPoints: true,
  supportsEvaluateForHovers: true,
  supportsSetVariable: true,
  supportsExceptionInfoRequest: true,
  supportsTerminateRequest: true,
  supportsDelayedStackTraceLoading: true,
  exceptionBreakpointFilters: [
    { filter: 'all', label: 'All exceptions', default: false },
    { filter: 'uncaught', label: 'Uncaught exceptions', default: true },
  ],
};
const STEPS: Readonly<Record<string, Step>> = { next: 'stepOver', stepIn: 'stepInto', stepOut: 'stepOut' };

/** A debug adapter for programs of Node.js, Deno and Bun (Debug Adapter Protocol); one program, one client. */
export class Adapter implements ProgramListener, DebuggeeListener {
  readonly #commands: Commands;
  readonly #send: Send;
  #lineBase = 1;
  #columnBase = 1;
  #launch: {
    file: string;
    stopOnEntry: boolean;
    start: (debugs: boolean) => Program;
    noDebug: boolean;
  } | null = null;
  #program: Program | null = null;
  #debuggee: Debuggee | null = null;
  #variables: Variables | null = null;
  /** Ids of frames are not used again, so that one of an earlier stop is known as such. */
  #firstFrame = 1;
  #setting: Promise<unknown> = Promise.resolve();
  readonly #configured = Promise.withResolvers<void>();

  constructor(commands: Commands, send: Send) {
    this.#commands = commands;
    this.#send = send;
  }

  /** Answers a request, whatever it holds. */
  async take({ seq, command, arguments: args = {} }: Args): Promise<void> {
    const response = { type: 'response', request_seq: seq, command };
    try {
      const handle = Object.hasOwn(this.#requests, command) ? this.#requests[command] : undefined;
      if (!handle) throw new Error(`${command} is not known here`);
      const answer = handle(args);
      // What is known at once is told before anything that comes of later requests.
      const body = answer instanceof Promise ? await answer : answer;
      await this.#send({ ...response, success: true, ...(body && { body }) });
      if (command === 'launch' && this.#launch?.noDebug) await this.#event('initialized');
    } catch (error) {
      const { message } = error as Error;
      await this.#send({ ...response, success: false, message, body: { error: { id: 1, format: message } } });
    }
  }

  end(): void {
    this.#program?.signal('SIGKILL');
  }

  readonly #requests: Readonly<
    Record<string, (args: Args) => object | undefined | Promise<object | undefined>>
  > = {
    initialize: ({ linesStartAt1 = true, columnsStartAt1 = true }) => {
      this.#lineBase = linesStartAt1 ? 1 : 0;
      this.#columnBase = columnsStartAt1 ? 1 : 0;
      return CAPABILITIES;
    },
    launch: args => this.#begin(args),
    configurationDone: async () => {
      await this.#setting;
      this.#configured.resolve();
      if (this.#launch?.noDebug) this.#start(false);
      else await this.#debuggee?.begin(this.#launch?.stopOnEntry ?? false);
    },
    setBreakpoints: args => this.#setBreakpoints(args),
    setExceptionBreakpoints: async ({ filters = [] }) => {
      const state = ['all', 'uncaught'].find(each => filters.includes(each)) ?? 'none';
      const { inspector } = this.#stoppable();
      await this.#inTurn(() => inspector.ask('Debugger.setPauseOnExceptions', { state }));
    },
    exceptionInfo: () => {
      const { exception } = this.#stoppable();
      if (!exception) throw new Error('Nothing was thrown');
      const { description = '' } = exception;
      const [typeName] = /^\w+/.exec(description) ?? ['Error'];
      const details = { typeName, message: shown(exception), stackTrace: description };
      return { exceptionId: typeName, description: shown(exception), breakMode: 'always', details };
    },
    threads: () => ({ threads: [THREAD] }),
    stackTrace: ({ startFrame = 0, levels = 0 }) => this.#stackTrace(startFrame, levels),
    scopes: ({ frameId }) => ({ scopes: this.#holders().scopes(this.#frame(frameId)) }),
    variables: async ({ variablesReference, ...wish }) => ({
      variables: await this.#holders().list(variablesReference, wish),
    }),
    setVariable: async ({ variablesReference, name, value }) => {
      const { frames } = this.#stoppable();
      const { name: _, ...set } = await this.#holders().set(variablesReference, name, value, frames);
      return set;
    },
    evaluate: async ({ expression, frameId, context }) => {
      const frame = frameId === undefined ? undefined : this.#frame(frameId);
      // What is pointed at must not change anything.
      const more = context === 'hover' ? { throwOnSideEffect: true } : {};
      const value = await this.#holders().evaluate(expression, frame, more);
      const { name, value: result, ...rest } = this.#holders().of('', value);
      return { result, ...rest };
    },
    source: async ({ sourceReference, source }) => {
      const scriptId = String(source?.sourceReference ?? sourceReference);
      const { scriptSource } = await this.#stoppable().inspector.ask('Debugger.getScriptSource', {
        scriptId,
      });
      return { content: scriptSource, mimeType: 'text/javascript' };
    },
    continue: async () => {
      await this.#goOn();
      return { allThreadsContinued: true };
    },
    ...Object.fromEntries(Object.entries(STEPS).map(([name, step]) => [name, () => this.#goOn(step)])),
    pause: () => this.#stoppable().pause(),
    terminate: async () => this.#program?.signal('SIGTERM'),
    disconnect: async () => this.end(),
  };

  // What the program tells.

  output(category: 'stdout' | 'stderr', output: string) {
    return output === '' ? undefined : this.#event('output', { category, output });
  }

  listens(url: string): void {
    const { engine } = this.#commands;
    Debuggee.connect({ engine, url, program: this.#launch!.file }, this).catch((error: Error) => {
      // It would wait for a debugger for good.
      void this.#event('output', {
        category: 'important',
        output: `It can't be debugged: ${error.message}\n`,
      });
      this.end();
    });
  }

  async ended(exitCode: number): Promise<void> {
    this.#configured.resolve();
    await this.#event('exited', { exitCode });
    await this.#event('terminated');
  }

  // What its debugger tells.

  ready(debuggee: Debuggee): void {
    this.#debuggee = debuggee;
    this.#variables = new Variables(debuggee.inspector);
    void this.#event('initialized');
  }

  stopped(stop: Stop): void {
    void this.#event('stopped', { ...stop, threadId: THREAD.id, allThreadsStopped: true });
  }

  logged(text: string): void {
    void this.#event('output', { category: 'console', output: `${text}\n` });
  }

  changed(breakpoint: Breakpoint): void {
    void this.#event('breakpoint', { reason: 'changed', breakpoint: this.#shownBreakpoint(breakpoint) });
  }

  /** Answered when the client has told what it is to stop at. */
  async #begin({ program: file, args = [], cwd, env = {}, stopOnEntry = false, noDebug = false }: Args) {
    if (this.#launch) throw new Error('There is a program already');
    const { engine, flagAt, javascript, typescript } = this.#commands;
    const start = (debugs: boolean) => {
      const command = (file.endsWith('.ts') ? typescript : javascript).filter(
        flag => !debugs || flag !== QUIET,
      );
      const flags = debugs ? [FLAGS[engine]] : [];
      const argv = [...command.slice(0, flagAt), ...flags, ...command.slice(flagAt), file, ...args];
      const place = { cwd, env: { ...process.env, ...env }, engine: debugs ? engine : null };
      return new Program(argv, place, this);
    };
    this.#launch = { file, stopOnEntry, start, noDebug };
    if (noDebug) return;
    this.#start(true);
    await this.#configured.promise;
  }

  #start(debugs: boolean): void {
    const { file, start } = this.#launch!;
    this.#program = start(debugs);
    const { pid: systemProcessId } = this.#program;
    void this.#event('process', {
      name: file,
      systemProcessId,
      isLocalProcess: false,
      startMethod: 'launch',
    });
  }

  async #goOn(step?: Step): Promise<void> {
    const debuggee = this.#stoppable();
    if (debuggee.frames.length === 0) throw new Error('The program runs');
    this.#firstFrame += debuggee.frames.length;
    this.#variables?.forget();
    await debuggee.goOn(step);
  }

  async #setBreakpoints({ source, breakpoints = [] }: Args): Promise<object> {
    const { path } = source;
    if (typeof path !== 'string') throw new Error('Breakpoints are set in files, by their path');
    const asked = breakpoints.map(
      ({ line, column, ...more }: Args): AskedBreakpoint => ({
        ...more,
        line: line - this.#lineBase,
        column: column === undefined ? 0 : column - this.#columnBase,
      }),
    );
    const debuggee = this.#stoppable();
    // One after the other: an engine knows each by what it is set at.
    const set = await this.#inTurn(() => debuggee.breakpoints.set(path, asked));
    return { breakpoints: set.map(each => this.#shownBreakpoint(each)) };
  }

  /** What it is to stop at is all set before it begins. */
  #inTurn<Result>(set: () => Promise<Result>): Promise<Result> {
    const setting = this.#setting.then(set);
    this.#setting = setting.catch(() => {});
    return setting;
  }

  #shownBreakpoint({ id, verified, line, column, path, message }: Breakpoint): object {
    return {
      ...{ id, verified, line: line + this.#lineBase },
      ...(verified && { column: column + this.#columnBase }),
      ...(message !== null && { message }),
      source: { name: path.split('/').at(-1), path },
    };
  }

  #stackTrace(startFrame: number, levels: number): object {
    const { frames, scripts } = this.#stoppable();
    const stackFrames = frames.map(({ functionName, location }, i) => {
      const { line, column, source } = scripts.place(location);
      return {
        ...{ id: this.#firstFrame + i, name: functionName || '(anonymous)', source },
        ...{ line: line + this.#lineBase, column: column + this.#columnBase },
        ...(source.path === undefined && { presentationHint: 'subtle' }),
      };
    });
    const end = levels ? startFrame + levels : undefined;
    return { stackFrames: stackFrames.slice(startFrame, end), totalFrames: frames.length };
  }

  #frame(id: number): CallFrame {
    const frame = this.#stoppable().frames[id - this.#firstFrame];
    if (!frame) throw new Error('The program has gone on since');
    return frame;
  }

  #stoppable(): Debuggee {
    if (!this.#debuggee) throw new Error('There is no program yet that could be debugged');
    return this.#debuggee;
  }

  #holders(): Variables {
    this.#stoppable();
    return this.#variables!;
  }

  #event(event: string, body?: object): void | Promise<void> {
    return this.#send({ type: 'event', event, ...(body && { body }) });
  }
}
