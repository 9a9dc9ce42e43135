import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Answer, CallFrame, Inspector, OnEvent, Place, RemoteObject, When } from '../inspector.ts';
import { InspectorError } from '../inspector.ts';
import { InspectorSocket } from '../inspector-socket.ts';
import { changesSomething } from './side-effects.ts';
import { WebKitObjects } from './webkit-objects.ts';
import { WebKitScopes } from './webkit-scopes.ts';

/** Bun hears its debugger while it stands, and between the turns of its event loop; milliseconds. */
const PATIENCE_MS = 10_000;
/** A pause that is not heard by then is told why; it still comes once it is. */
const PAUSE_PATIENCE_MS = 2000;
const BUSY =
  'Bun does not listen: it hears its debugger only where it stands and while it waits for something. ' +
  'A loop that never waits is stopped by breakpoints that are set before it, or on Node.js or Deno';
const STEPS: ReadonlySet<string> = new Set(['Debugger.stepOver', 'Debugger.stepInto', 'Debugger.stepOut']);

/**
 * The inspector of a program of Bun, which is WebKit's (inspector/protocol in its sources): what V8's is asked and says is put into its
 * words, and back. Where it has nothing of the kind: it can't be told to stop where a script with a map begins, so that a breakpoint
 * stands at the beginning of each file that is waited for; and an evaluation is not held to change nothing, so that what would is not
 * evaluated.
 */
export class WebKitInspector implements Inspector {
  readonly #socket: InspectorSocket;
  readonly #onEvent: OnEvent;
  readonly #objects: WebKitObjects;
  readonly #scopes: WebKitScopes;
  /** Files by their scripts' ids, and what has been read. */
  readonly #files = new Map<string, string>();
  readonly #loaded = new Set<string>();
  /** What stands at the beginning of files that are not loaded yet, by their URLs. */
  readonly #guards = new Map<string, Promise<string | null>>();
  readonly #probes: string[] = [];
  #begun = false;
  #steps = false;

  private constructor(socket: InspectorSocket, onEvent: OnEvent) {
    this.#socket = socket;
    this.#onEvent = onEvent;
    const ask = (method: string, params?: object) => this.#ask(method, params);
    this.#objects = new WebKitObjects(ask);
    this.#scopes = new WebKitScopes(ask, this.#objects);
  }

  /** @throws {InspectorError} */
  static async connect(url: string, onEvent: OnEvent): Promise<WebKitInspector> {
    let inspector: WebKitInspector | undefined;
    // Without it a program does not exit while it is connected to. Only Bun's own sockets, which this is made for, have headers.
    const options = { headers: { 'Ref-Event-Loop': '0' } } as unknown as string[];
    const told: OnEvent = (method, params) => {
      if (inspector) inspector.#told(method, params);
    };
    const socket = await InspectorSocket.connect(new WebSocket(url, options), told);
    inspector = new WebKitInspector(socket, onEvent);
    return inspector;
  }

  async ask(method: string, params: Answer = {}): Promise<Answer> {
    const steps = STEPS.has(method);
    if (steps || method === 'Debugger.resume') {
      this.#steps = steps;
      // A program that runs to its end does not answer any more what made it go on.
      await this.#socket.ask(method).catch(() => {});
      return {};
    }
    const translated = this.#methods[method];
    return translated ? translated(params) : this.#ask(method, params);
  }

  async setBreakpoint({ url, lineNumber, columnNumber }: Place, when: When) {
    if (url.startsWith('file:') && !this.#loaded.has(url)) {
      await this.#guard(url);
      return { breakpointId: null, locations: [] };
    }
    const options = { ...(when.condition && { condition: when.condition }), ...this.#logging(when) };
    const place = { url: pathOf(url), lineNumber, columnNumber, options };
    return this.#ask('Debugger.setBreakpointByUrl', place);
  }

  async holds(frame: CallFrame, { condition, log }: When): Promise<boolean> {
    const evaluated = async (expression: string) => {
      const { result } = await this.ask('Debugger.evaluateOnCallFrame', { ...frame, expression });
      return result.value;
    };
    if (condition !== undefined && (await evaluated(`!!(${condition})`)) !== true) return false;
    if (log === undefined) return true;
    this.#onEvent('Logged', { text: await evaluated(log) });
    return false;
  }

  close(): void {
    this.#socket.close();
  }

  readonly #methods: Readonly<Record<string, (params: Answer) => Promise<Answer> | Answer>> = {
    // In this order, whatever else is asked meanwhile.
    'Debugger.enable': () =>
      Promise.all([
        this.#ask('Inspector.enable'),
        this.#ask('Debugger.enable'),
        this.#ask('Debugger.setPauseOnDebuggerStatements', { enabled: true }),
        this.#ask('Debugger.setBreakpointsActive', { active: true }),
      ]),
    'Debugger.setBlackboxPatterns': ({ patterns }) =>
      Promise.all(
        (patterns as string[]).map(url => {
          const pattern = { url: url.replace('^file://', '^'), caseSensitive: true, isRegex: true };
          return this.#ask('Debugger.setShouldBlackboxURL', { ...pattern, shouldBlackbox: true });
        }),
      ),
    'Debugger.setInstrumentationBreakpoint': () => ({}),
    'Debugger.pause': () => this.#ask('Debugger.pause', {}, PAUSE_PATIENCE_MS),
    'Runtime.runIfWaitingForDebugger': async () => {
      if (this.#begun) return;
      this.#begun = true;
      await this.#ask('Debugger.pause');
      await this.#ask('Inspector.initialized');
    },
    'Debugger.setBreakpointByUrl': async place => this.setBreakpoint(place, NOTHING),
    'Debugger.evaluateOnCallFrame': params => this.#evaluate('Debugger.evaluateOnCallFrame', params),
    'Runtime.evaluate': params => this.#evaluate('Runtime.evaluate', params),
    'Runtime.callFunctionOn': params => this.#objects.call(params),
    'Runtime.getProperties': params =>
      this.#scopes.isScope(params.objectId)
        ? this.#scopes.properties(params.objectId)
        : this.#objects.properties(params),
    'Debugger.setVariableValue': ({ callFrameId, variableName, newValue }) =>
      this.#scopes.set(callFrameId, variableName, newValue),
  };

  async #evaluate(
    method: string,
    { callFrameId, expression, throwOnSideEffect }: Answer,
  ): Promise<{ result: RemoteObject }> {
    if (throwOnSideEffect && (await changesSomething(expression)))
      return thrown({ type: 'string', value: '' }, 'EvalError: Possible side-effect in debug-evaluate');
    const quiet = { doNotPauseOnExceptionsAndMuteConsole: true, generatePreview: false };
    const asked = { ...(callFrameId && { callFrameId }), expression, ...quiet };
    return this.#objects.answer(await this.#ask(method, asked));
  }

  #told(method: string, params: Answer): void {
    switch (method) {
      case 'Debugger.scriptParsed': {
        const { scriptId, sourceMapURL } = params;
        const url = urlOf(params.url);
        // All that is evaluated is told too.
        if (url !== '') {
          this.#files.set(scriptId, url);
          this.#loaded.add(url);
          this.#scopes.add(params);
        }
        return this.#onEvent(method, { scriptId, url, sourceMapURL, isOwnSource: true });
      }
      case 'Debugger.resumed':
        // A step ends where nothing is left to step through, as at an `await`: it goes on with what runs next.
        if (this.#steps) this.#ask('Debugger.pause').catch(() => {});
        return;
      case 'Debugger.didSampleProbe':
        return this.#onEvent('Logged', { text: String(params.sample.payload.value) });
      case 'Debugger.paused':
        this.#paused(params).catch((error: unknown) => {
          if (!(error instanceof InspectorError)) throw error;
        });
        return;
      default:
        this.#onEvent(method, params);
    }
  }

  async #paused({ reason, callFrames, data }: Answer): Promise<void> {
    this.#steps = false;
    const [top, ...others] = callFrames as Answer[];
    // Functions that are the engine's own have no text.
    const frames = [top, ...others.filter(({ location }) => this.#files.has(location.scriptId))];
    const shown = frames.map(frame => this.#scopes.frame(frame));
    const url = this.#files.get(top.location.scriptId);
    const guard = url && (await this.#guards.get(url));
    if (reason === 'Breakpoint' && guard && data?.breakpointId === guard) {
      this.#guards.delete(url);
      // Else nothing else can be set where it lies.
      await this.#ask('Debugger.removeBreakpoint', { breakpointId: guard });
      return this.#onEvent('Debugger.paused', { reason: 'loaded', callFrames: shown });
    }
    this.#onEvent('Debugger.paused', {
      reason: reason === 'exception' ? reason : 'other',
      callFrames: shown,
      ...(reason === 'exception' && { data: await this.#objects.error(data) }),
      ...(reason === 'Breakpoint' && { hitBreakpoints: [data?.breakpointId] }),
    });
  }

  /** Has it stop where a file begins, once that is loaded. */
  #guard(url: string): Promise<string | null> {
    const known = this.#guards.get(url);
    if (known) return known;
    const urlRegex = `^${pathOf(url).replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')}$`;
    const place = { urlRegex, lineNumber: 0, columnNumber: 0 };
    const setting = this.#ask('Debugger.setBreakpointByUrl', place).then(({ breakpointId }) => breakpointId);
    this.#guards.set(url, setting);
    return setting;
  }

  #logging({ log }: When): object {
    if (log === undefined) return {};
    return { actions: [{ type: 'probe', id: this.#probes.push(log), data: log }], autoContinue: true };
  }

  async #ask(method: string, params: object = {}, patienceMs = PATIENCE_MS): Promise<Answer> {
    const late = Promise.withResolvers<never>();
    const patience = setTimeout(() => late.reject(new InspectorError(BUSY)), patienceMs);
    try {
      return await Promise.race([this.#socket.ask(method, params), late.promise]);
    } finally {
      clearTimeout(patience);
    }
  }
}

const NOTHING: When = { condition: undefined, log: undefined };

/** It names files by their paths. */
function urlOf(path: string): string {
  return path.startsWith('/') ? pathToFileURL(path).href : path;
}

function pathOf(url: string): string {
  return url.startsWith('file:') ? fileURLToPath(url) : url;
}

function thrown(exception: RemoteObject, text: string) {
  return { result: exception, exceptionDetails: { text } };
}
