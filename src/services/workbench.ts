import type { CellEnding, CellSpec, Ending, ProgramSpec, Workbench } from '../commands/command.ts';
import { invalid, notSupported, ServiceError } from '../errors.ts';
import type { Toolchain } from '../languages/language.ts';
import type { Files } from '../sandbox.ts';
import type { CommandRun } from './command-run.ts';
import type { Emitter } from './emitter.ts';
import type { FairQueue } from './fair-queue.ts';
import type { RunningCell } from './interpreter.ts';
import { languageOf } from './lease.ts';
import { feed, type InputPort, startProgram } from './program.ts';
import type { Session } from './session.ts';
import { type OutputSink, type Supervision, supervise } from './supervise.ts';

/** Bounds that the server's configuration sets. */
export interface Bounds {
  readonly maxTimeoutSeconds: number;
  readonly maxOutputBytes: number;
  readonly maxStreamBytes: number;
}

/** What a cell's results may add up to in a reply, bytes of JSON. */
const MAX_RESULT_BYTES = 16 * 1024 * 1024;
/** What an empty one counts for, so that their number is bounded too. */
const BUNDLE_BYTES = 256;

/** One command at work in a session: what {@link Workbench} promises, under the session's limits. */
export class SessionBench implements Workbench {
  readonly #session: Session;
  readonly #run: CommandRun;
  readonly #emitter: Emitter | null;
  readonly #interactive: boolean;
  readonly #client: string;
  readonly #queue: FairQueue;
  readonly #bounds: Bounds;
  /** The rest of a command that answered before its program ended. */
  background: Promise<Ending | null> | null = null;

  constructor(parts: {
    session: Session;
    run: CommandRun;
    emitter: Emitter | null;
    interactive: boolean;
    client: string;
    queue: FairQueue;
    bounds: Bounds;
  }) {
    this.#session = parts.session;
    this.#run = parts.run;
    this.#emitter = parts.emitter;
    this.#interactive = parts.interactive;
    this.#client = parts.client;
    this.#queue = parts.queue;
    this.#bounds = parts.bounds;
  }

  get files(): Files {
    return this.#session.lease.sandbox.files;
  }

  get commandId(): string {
    return this.#run.commandId;
  }

  runProgram(spec: ProgramSpec): Promise<Ending> {
    return this.#program(spec, () => {});
  }

  async startInBackground(spec: ProgramSpec): Promise<void> {
    const started = Promise.withResolvers<void>();
    const ended = this.#program(spec, started.resolve);
    ended.catch(started.reject);
    await started.promise;
    this.background = ended.catch(() => null);
  }

  #program(spec: ProgramSpec, onStart: () => void): Promise<Ending> {
    const { sandbox, env } = this.#session.lease;
    const fed = spec.stdin !== undefined || this.#interactive;
    return supervise(this.#supervision(spec.timeout), async sink => {
      const started = await startProgram(
        sandbox,
        {
          argv: spec.argv,
          cwd: spec.cwd,
          env: { ...env, ...spec.environment },
          stdin: fed ? 'pipe' : 'none',
        },
        sink,
      );
      this.#started(started.process, spec.stdin);
      onStart();
      return started;
    });
  }

  async runCell(spec: CellSpec): Promise<CellEnding> {
    const session = this.#session;
    const { language, kernel } = this.#kernelOf(spec.language);
    const context = session.context(spec.context, kernel);
    const endTurn = await context.turn(this.#run.cancelled);
    try {
      const leaveQueue = await this.#queue.enter(this.#client, this.#run.cancelled);
      try {
        await using _limit = await this.#lowerMemory(spec.memoryLimit);
        const interpreter = await context.interpreter();
        const results = new Results(this.#emitter);
        const cell = {
          code: spec.code,
          typescript: language === 'typescript',
          stdin: spec.stdin,
          interactive: this.#interactive && spec.stdin === undefined,
          onResult: results.add,
        };
        let running: RunningCell | undefined;
        const ending = await supervise(this.#supervision(spec.timeout), async sink => {
          running = await interpreter.run(cell, sink);
          this.#started(
            running.port ?? { ...DEAF, signal: name => name === 'SIGINT' && running?.interrupt() },
            spec.stdin,
          );
          return running;
        });
        return {
          ...ending,
          results: results.bundles,
          error: running?.error() ?? null,
          stateLost: running?.died() ?? false,
          executionCount: ++context.cells,
        };
      } finally {
        leaveQueue();
      }
    } finally {
      endTurn();
    }
  }

  async restartContext(context: string): Promise<void> {
    this.#session.restartContexts(context);
  }

  #started(port: InputPort, stdin: string | undefined): void {
    if (stdin !== undefined) feed(port, stdin);
    this.#run.started(port);
    this.#emitter?.started();
  }

  #supervision(timeoutSeconds: number | null): Supervision {
    const { maxTimeoutSeconds, maxOutputBytes, maxStreamBytes } = this.#bounds;
    if (timeoutSeconds !== null && timeoutSeconds > maxTimeoutSeconds) {
      throw invalid('command.timeout', `is over the ${maxTimeoutSeconds} seconds of this server`);
    }
    const emitter = this.#emitter;
    const sink: OutputSink | undefined = emitter ? (stream, data) => emitter.output(stream, data) : undefined;
    return {
      sandbox: this.#session.lease.sandbox,
      wallMs: timeoutSeconds === null ? null : timeoutSeconds * 1000,
      cpuMs: null,
      cpus: this.#session.lease.limits.cpus,
      maxOutputBytes,
      maxStreamBytes,
      cancel: this.#run.cancelled,
      ...(sink && { sink }),
    };
  }

  /** The kernel for a cell: the session's own language, or another that its sandbox can run. */
  #kernelOf(name: string | undefined) {
    const { lease } = this.#session;
    const language = name === undefined ? lease.language : languageOf(name).language;
    const kernel = toolchainIn(language.runtimes, lease.runtime.type)?.kernel;
    if (!kernel)
      throw notSupported(
        'command.language',
        `${language.name} keeps no state in a ${lease.runtime.type} session`,
      );
    return { language: language.name, kernel };
  }

  async #lowerMemory(limitMB: number | undefined): Promise<AsyncDisposable> {
    const { sandbox, limits } = this.#session.lease;
    const bytes = (limitMB ?? 0) * 1024 * 1024;
    if (limitMB === undefined || bytes === limits.memoryBytes) return { async [Symbol.asyncDispose]() {} };
    if (bytes > limits.memoryBytes) {
      throw invalid('command.memoryLimit', `is above the session's ${limits.memoryBytes / 1024 / 1024} MB`);
    }
    if (!(await sandbox.limitMemory(bytes))) {
      throw new ServiceError(
        'CONFLICT',
        `command.memoryLimit: the session uses more than ${limitMB} MB already`,
      );
    }
    return { [Symbol.asyncDispose]: async () => void (await sandbox.limitMemory(limits.memoryBytes)) };
  }
}

/** A cell that takes no input; it can still be interrupted. */
const DEAF = { write: async () => {}, endInput: () => {} };

/** Collects a cell's rich results, bounded. */
class Results {
  readonly bundles: Record<string, unknown>[] = [];
  readonly #emitter: Emitter | null;
  #bytes = 0;

  constructor(emitter: Emitter | null) {
    this.#emitter = emitter;
  }

  readonly add = (bundle: Readonly<Record<string, unknown>>): void => {
    this.#bytes += BUNDLE_BYTES + JSON.stringify(bundle).length;
    if (this.#bytes > MAX_RESULT_BYTES) return;
    this.bundles.push(bundle);
    this.#emitter?.result(bundle);
  };
}

/** A local sandbox carries every local interpreter, whichever runtime was picked. */
function toolchainIn(
  runtimes: Readonly<Partial<Record<string, Toolchain>>>,
  runtimeType: string,
): Toolchain | undefined {
  const own = runtimes[runtimeType];
  if (own || runtimeType === 'Docker') return own;
  return Object.entries(runtimes).find(([type]) => type !== 'Docker')?.[1];
}
