import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { type Breakpoint, Breakpoints } from './breakpoints.ts';
import { whenOf } from './condition.ts';
import {
  type CallFrame,
  type Inspector,
  InspectorError,
  type OnEvent,
  type RemoteObject,
} from './inspector.ts';
import { type Script, Scripts } from './scripts.ts';
import { V8Inspector } from './v8-inspector.ts';
import { shown } from './values.ts';
import { WebKitInspector } from './webkit/webkit-inspector.ts';

/** Where the kernels lie, as a URL: what runs from there is none of the program's. */
const LIBRARY = new URL('..', import.meta.url).href;
/** Whoever steps is not led through what the interpreter is made of. */
const NOT_STEPPED_INTO = ['^node:', '^ext:', '^bun:', '^internal:', `^${LIBRARY}`];

/** Reasons of an engine's to pause. */
const THROWN: ReadonlySet<string> = new Set(['exception', 'promiseRejection']);
const AGAIN_MS = 20;

export interface Stop {
  readonly reason: 'entry' | 'step' | 'breakpoint' | 'exception' | 'pause';
  readonly description?: string;
  readonly text?: string;
  readonly hitBreakpointIds?: readonly number[];
}

export interface DebuggeeListener {
  /** It stands before its first line: breakpoints may be set. */
  ready(debuggee: Debuggee): void;
  stopped(stop: Stop): void;
  logged(text: string): void;
  changed(breakpoint: Breakpoint): void;
}

export type Step = 'stepOver' | 'stepInto' | 'stepOut';

/** What the program runs on, which decides how it is spoken to. */
export type Engine = 'v8' | 'webkit';

// biome-ignore lint/suspicious/noExplicitAny: whatever an engine tells
type Told = any;

/** A program that was started to be debugged: where it stands, and what makes it go on. */
export class Debuggee {
  /** From the innermost; empty while it runs. */
  frames: readonly CallFrame[] = [];
  /** What was thrown, where it stands for that. */
  exception: RemoteObject | null = null;
  readonly scripts = new Scripts();
  readonly inspector: Inspector;
  readonly breakpoints: Breakpoints;
  readonly #engine: Engine;
  readonly #program: string;
  readonly #listener: DebuggeeListener;
  /** Its frames, until it is told to begin. */
  #entry: readonly CallFrame[] | null = null;
  #begun = false;
  #steps = false;
  #pauses = false;
  /** Of the one that stops at the first line, where only a breakpoint can. */
  #entryName: string | null = null;
  readonly #standIns = new Set<string>();

  private constructor(
    inspector: Inspector,
    { engine, program }: { engine: Engine; program: string },
    listener: DebuggeeListener,
  ) {
    this.inspector = inspector;
    this.#engine = engine;
    this.#program = program;
    this.#listener = listener;
    this.breakpoints = new Breakpoints(inspector, this.scripts, breakpoint => listener.changed(breakpoint));
  }

  /** Has it run up to its first line. @throws {InspectorError} */
  static async connect(
    { engine, url, program }: { engine: Engine; url: string; program: string },
    listener: DebuggeeListener,
  ): Promise<void> {
    let debuggee: Debuggee | undefined;
    const onEvent: OnEvent = (method, params) => debuggee?.onEvent(method, params);
    const inspector = await (engine === 'v8' ? V8Inspector : WebKitInspector).connect(url, onEvent);
    debuggee = new Debuggee(inspector, { engine, program }, listener);
    const asked = [
      inspector.ask('Runtime.enable'),
      inspector.ask('Debugger.enable'),
      inspector.ask('Debugger.setBlackboxPatterns', { patterns: NOT_STEPPED_INTO }),
      inspector.ask('Debugger.setInstrumentationBreakpoint', {
        instrumentation: 'beforeScriptWithSourceMapExecution',
      }),
      inspector.ask('Runtime.runIfWaitingForDebugger'),
    ];
    await Promise.all(asked);
    // One that ends before it has begun is told elsewhere.
    await debuggee.#keepRunning().catch(() => {});
  }

  /** Lets it begin, up to what it is to stop at. */
  async begin(stopOnEntry: boolean): Promise<void> {
    const frames = this.#entry;
    if (!frames || this.#begun) return;
    this.#begun = true;
    const top = frames[0]!;
    if (this.#standIns.has(top.location.scriptId)) {
      if (stopOnEntry) await this.#stopAtFirstLine();
      return this.goOn();
    }
    if (stopOnEntry) return this.#stop(frames, { reason: 'entry' });
    if (!(await this.#stopsHere(frames))) return this.goOn();
  }

  async goOn(step?: Step): Promise<void> {
    this.frames = [];
    this.exception = null;
    this.#steps = step !== undefined;
    await this.inspector.ask(`Debugger.${step ?? 'resume'}`);
  }

  async pause(): Promise<void> {
    this.#pauses = true;
    await this.inspector.ask('Debugger.pause');
  }

  onEvent(method: string, params: Told): void {
    const handle = this.#events[method];
    // The program has gone, which is told elsewhere.
    handle?.(params)?.catch((error: unknown) => {
      if (!(error instanceof InspectorError)) throw error;
    });
  }

  readonly #events: Readonly<Record<string, (params: Told) => Promise<void> | void>> = {
    'Debugger.scriptParsed': params => void this.scripts.add(params),
    'Debugger.breakpointResolved': ({ breakpointId, location }) =>
      this.breakpoints.resolved(breakpointId, location),
    'Debugger.paused': params => this.#paused(params),
    Logged: ({ text }) => this.#listener.logged(text),
    'Runtime.executionContextDestroyed': ({ executionContextId }) => {
      // Else it does not exit.
      if (executionContextId === 1) this.inspector.close();
    },
  };

  async #paused({ reason, callFrames, hitBreakpoints = [], data }: Told): Promise<void> {
    const script = this.scripts.get(callFrames[0].location.scriptId);
    if (reason === 'instrumentation') {
      if (script) await this.breakpoints.bind(script);
      return this.#onward();
    }
    if (reason === 'loaded') {
      if (script) await this.breakpoints.bind(script);
      if (!(await this.#stopsHere(callFrames))) await this.#onward();
      return;
    }
    if (!this.#begun) {
      // Deno stops where it loads what a program imports of its own, and else not again for the program.
      if (!script || !isPrograms(script)) return this.#onward(this.#engine === 'v8' ? 'stepOut' : 'resume');
      if (await this.#isStandIn(script)) {
        this.#standIns.add(script.id);
        this.scripts.forget(script);
      }
      this.#entry = callFrames;
      return this.#listener.ready(this);
    }
    if (this.#standIns.has(callFrames[0].location.scriptId)) return this.#onward();
    // Node.js throws again what a module has thrown, where nothing of the program is left.
    if (THROWN.has(reason) && !callFrames.some((frame: CallFrame) => this.#isPrograms(frame)))
      return this.#onward();
    this.#stop(callFrames, await this.#reason(reason, hitBreakpoints, data));
  }

  async #reason(reason: string, names: readonly string[], data: RemoteObject): Promise<Stop> {
    if (THROWN.has(reason)) {
      this.exception = data;
      return { reason: 'exception', description: 'Paused on an exception', text: shown(data) };
    }
    if (this.#entryName !== null && names.includes(this.#entryName)) {
      await this.inspector.ask('Debugger.removeBreakpoint', { breakpointId: this.#entryName });
      this.#entryName = null;
      return { reason: 'entry' };
    }
    if (names.length > 0) return { reason: 'breakpoint', hitBreakpointIds: this.breakpoints.ids(names) };
    if (this.#pauses) return { reason: 'pause' };
    if (this.#steps) return { reason: 'step' };
    return { reason: 'breakpoint', description: 'Paused on a debugger statement' };
  }

  /** For a breakpoint that was set where it stands already: no engine stops there a second time. */
  async #stopsHere(frames: readonly CallFrame[]): Promise<boolean> {
    const top = frames[0]!;
    const hits: number[] = [];
    for (const { id, asked } of this.breakpoints.at(top.location))
      if (await this.inspector.holds(top, whenOf(id, asked))) hits.push(id);
    if (hits.length > 0) this.#stop(frames, { reason: 'breakpoint', hitBreakpointIds: hits });
    return hits.length > 0;
  }

  #stop(frames: readonly CallFrame[], stop: Stop): void {
    this.#pauses = false;
    this.#steps = false;
    this.frames = frames;
    this.#listener.stopped(stop);
  }

  /** As it went before it was stopped for a moment. */
  async #onward(how: 'resume' | 'stepOut' = 'resume'): Promise<void> {
    await this.inspector.ask(`Debugger.${how}`);
  }

  /** Deno waits a second time when it has loaded something before the program, and does not say when. */
  async #keepRunning(): Promise<void> {
    while (!this.#entry) {
      await this.inspector.ask('Runtime.runIfWaitingForDebugger');
      await sleep(AGAIN_MS);
    }
  }

  async #stopAtFirstLine(): Promise<void> {
    const url = pathToFileURL(this.#program).href;
    const answer = await this.inspector.ask('Debugger.setBreakpointByUrl', { url, lineNumber: 0 });
    this.#entryName = answer.breakpointId;
  }

  /** Deno loads a program of CommonJS by a module of its own making, which has the program's name and other lines. */
  async #isStandIn({ id: scriptId, map }: Script): Promise<boolean> {
    if (map) return false;
    const { scriptSource } = await this.inspector.ask('Debugger.getScriptSource', { scriptId });
    const begins = readFileSync(this.#program, 'utf8')
      .replace(/^\ufeff/, '')
      .trimStart()
      .slice(0, 100);
    return !scriptSource.includes(begins) && !this.#isAnother(scriptId);
  }

  #isPrograms({ location }: CallFrame): boolean {
    const script = this.scripts.get(location.scriptId);
    return script !== undefined && isPrograms(script);
  }

  /** A module that the program imports runs before it. */
  #isAnother(scriptId: string): boolean {
    return this.scripts.get(scriptId)?.url !== pathToFileURL(this.#program).href;
  }
}

function isPrograms({ url }: Script): boolean {
  return url.startsWith('file:') && !url.startsWith(LIBRARY);
}
