import { logAbout } from '../../call-log.ts';
import type {
  CellResult,
  CellSpec,
  CommandContext,
  CommandOutcome,
  InstallOutcome,
  InstallSpec,
  ProgramSpec,
  RunResult,
  TimeLimit,
  ToolSpec,
} from '../../commands/command.ts';
import { notSupported } from '../../errors.ts';
import type { Metrics } from '../../metrics.ts';
import { InstallFailed } from '../../packages/install-failed.ts';
import type { InstallProgress } from '../../packages/layer-maker.ts';
import { type Process, WORKSPACE } from '../../sandbox.ts';
import { LIMITS } from '../../schemas/limits.ts';
import { KERNELS } from '../../toolchains/toolchain.ts';
import type { Queue } from '../admission/queue.ts';
import type { CallLog } from '../call.ts';
import type { Emitter } from '../events/emitter.ts';
import { runCell } from '../kernels/cell.ts';
import { toldDenial } from '../network/told-denial.ts';
import { progressEvent } from '../packages/install-progress.ts';
import type { CellSurroundings, RunningProgram } from '../service.ts';
import type { CommandRun } from '../supervision/command-run.ts';
import { type RunHandle, startProgram, stdinOf } from '../supervision/program.ts';
import { runningProgram } from '../supervision/running-program.ts';
import { type OutputSink, type Supervision, supervise } from '../supervision/supervise.ts';
import { wallMsOf } from '../supervision/time-limit.ts';
import { CountedFiles } from './counted-files.ts';
import { installLines } from './install-lines.ts';
import type { Session } from './session.ts';
import { installTime, wantedBy } from './session-packages.ts';

/** Limits from the server's configuration. */
export interface Bounds {
  readonly maxTimeoutSeconds: number;
  readonly maxOutputBytes: number;
  readonly maxStreamBytes: number;
}

/** What a program takes its terminal for, unless it is told: what nearly all that show one are. */
const TERMINAL_ENV = { TERM: 'xterm-256color' };
/** What a tool's answer may be over its bound by what came in one piece. */
const STRAY_BYTES = 1024 * 1024;
const NEVER = new AbortController().signal;
/** Time for a tool to put back what it has changed, milliseconds. */
const GRACE_MS = 2000;

/** The {@link CommandContext} of one command, under its session's limits. */
export class SessionCommandContext implements CommandContext {
  readonly #session: Session;
  readonly #run: CommandRun;
  readonly #emitter: Emitter | null;
  readonly #interactive: boolean;
  readonly #wallMs: number | undefined;
  readonly #cell: CellSurroundings;
  readonly #onStarted: ((program: RunningProgram) => void) | undefined;
  readonly #client: string;
  readonly #queue: Queue;
  readonly #bounds: Bounds;
  readonly #metrics: Metrics;
  readonly #log: CallLog;
  readonly files: CountedFiles;
  readonly takesLongTexts: boolean;
  /** The end of what a command left running; null for a command that left nothing. */
  background: Promise<CommandOutcome<unknown>> | null = null;

  constructor(parts: {
    session: Session;
    run: CommandRun;
    emitter: Emitter | null;
    interactive: boolean;
    longTexts: boolean;
    wallMs: number | undefined;
    cell: CellSurroundings | undefined;
    onStarted: ((program: RunningProgram) => void) | undefined;
    client: string;
    queue: Queue;
    bounds: Bounds;
    metrics: Metrics;
    log: CallLog;
  }) {
    this.#session = parts.session;
    this.#run = parts.run;
    this.#emitter = parts.emitter;
    this.#interactive = parts.interactive;
    this.takesLongTexts = parts.longTexts;
    this.#wallMs = parts.wallMs;
    this.#cell = parts.cell ?? {};
    this.#onStarted = parts.onStarted;
    this.#client = parts.client;
    this.#queue = parts.queue;
    this.#bounds = parts.bounds;
    this.#metrics = parts.metrics;
    this.#log = parts.log;
    const { lease, memory, owner } = parts.session;
    this.files = new CountedFiles(lease.sandbox.files, memory.reads, owner);
  }

  get followed(): boolean {
    return this.#emitter !== null;
  }

  get executionId(): string {
    return this.#run.executionId;
  }

  get commandId(): string {
    return this.#run.commandId;
  }

  directory(path: string | undefined, field: string): string {
    return this.#session.directory(path, field);
  }

  runProgram(spec: ProgramSpec): Promise<RunResult> {
    return this.#program(spec, () => {});
  }

  async startInBackground(spec: ProgramSpec): Promise<void> {
    const started = Promise.withResolvers<void>();
    const ended = this.#program(spec, started.resolve);
    ended.catch(started.reject);
    await started.promise;
    this.goOn(ended.then(runResult => ({ result: null, runResult })));
  }

  goOn(end: Promise<CommandOutcome<unknown>>): void {
    // Its reader comes when the command has been answered.
    end.catch(() => {});
    this.background = end;
  }

  /** `whole`: it is all of what its command runs. */
  #program(spec: ProgramSpec, onStart: () => void, whole = true): Promise<RunResult> {
    const { env, lease } = this.#session;
    const { sandbox, runtime } = lease;
    const { pty } = spec;
    if (pty && !runtime.capabilities.pty) throw notSupported('pty', `${runtime.type} has no terminals`);
    const run = () =>
      supervise({ ...this.#supervision(spec.timeout), stdoutEncoding: spec.stdoutEncoding }, async sink => {
        const started = await startProgram(
          sandbox,
          {
            argv: spec.argv,
            cwd: spec.cwd,
            env: { ...(pty && TERMINAL_ENV), ...env, ...spec.environment },
            stdin: pty ? 'pipe' : stdinOf(spec.stdin, this.#interactive),
            pty,
            live: this.#emitter !== null,
          },
          sink,
        );
        const { process } = started;
        const { argv, cwd, environment } = spec;
        this.#started({
          pid: process.pid,
          argv,
          cwd,
          environment,
          input: pty || (this.#interactive && spec.stdin === undefined) ? process : null,
          drained: () => process.drained(),
          signal: name => process.signal(name),
          ...(pty && { resize: size => process.resize(size) }),
        });
        onStart();
        return started;
      });
    return whole ? this.#onNetwork(run) : run();
  }

  runTool({ words, stdin, maxOutputBytes, anyway = false }: ToolSpec): Promise<RunResult> {
    const timeout = { asked: undefined, byDefault: LIMITS.shellTimeoutSeconds };
    const { sink: _, ...supervision } = this.#supervision(timeout);
    const bounds = { maxOutputBytes, maxStreamBytes: maxOutputBytes + STRAY_BYTES };
    return supervise({ ...supervision, ...bounds, ...(anyway && { cancel: NEVER }) }, async sink => {
      const argv = [`${KERNELS}/agent`, ...words] as const;
      const spec = { argv, cwd: WORKSPACE, env: {}, stdin: stdinOf(stdin, false) } as const;
      const started = await startProgram(this.#session.lease.sandbox, spec, sink);
      return { ...started, stop: () => stopGently(started.process, started.ended) };
    });
  }

  runCell(spec: CellSpec): Promise<CellResult> {
    const run = () =>
      runCell(
        {
          session: this.#session,
          emitter: this.#emitter,
          interactive: this.#interactive,
          client: this.#client,
          queue: this.#queue,
          cancelled: this.#run.cancelled,
          supervision: timeout => this.#supervision(timeout),
          admitted: waitedMs => this.#admitted(waitedMs),
          started: handle => this.#started(handle),
          runProgram: program => this.#program(program, () => {}, false),
          installs: code => installLines(code, this.#session, this),
        },
        { ...spec, ...this.#cell },
      );
    return this.#onNetwork(run);
  }

  async installPackages(spec: InstallSpec): Promise<InstallOutcome> {
    const { packages, lease } = this.#session;
    const wanted = wantedBy(this.#session, spec);
    const late = AbortSignal.timeout(wallMsOf(installTime(spec.timeout), this.#bounds) ?? 0);
    const signal = AbortSignal.any([this.#run.cancelled, late]);
    const emitter = this.#emitter;
    const onProgress = (progress: InstallProgress) => emitter?.progress(progressEvent(progress));
    const startedAt = performance.now();
    try {
      const log = logAbout(this.#log, { sessionId: this.#session.id, executionId: this.executionId });
      const { installed, changed } = await packages.add(wanted, { lease, signal, log, onProgress });
      const { layer, cached } = installed;
      return {
        manager: wanted.ecosystem.manager,
        layer: `sha256:${layer.id}`,
        installed: [...layer.installed],
        cached,
        durationMs: Math.round(performance.now() - startedAt),
        restartNeeded: [...changed],
      };
    } catch (error) {
      if (error instanceof InstallFailed)
        return { failed: { reason: error.reason, sentence: error.message, words: error.words } };
      const inTime = !late.aborted || this.#run.cancelled.aborted;
      if (inTime) throw error;
      return { failed: { reason: 'timeout', sentence: 'It took longer than was asked for', words: '' } };
    }
  }

  /** Tells of what it is refused, and counts what passes. */
  #onNetwork<R extends RunResult>(run: () => Promise<R>): Promise<R> {
    const { network } = this.#session;
    if (!network) return run();
    return network.during(denial => {
      const told = toldDenial(denial);
      this.#emitter?.denied(told);
      this.#run.notices?.denied(told);
    }, run);
  }

  async restartContext(context: string): Promise<void> {
    this.#session.restartContexts(context);
  }

  #admitted(waitedMs: number): void {
    this.#metrics.queueWait.observe(waitedMs / 1000);
    this.#log.debug({ executionId: this.executionId, waitedMs: Math.round(waitedMs) }, 'admitted');
  }

  #started(handle: RunHandle): void {
    this.#log.debug({ executionId: this.executionId }, 'started');
    this.#run.started(handle);
    const program = runningProgram(this.#run);
    if (program) this.#onStarted?.(program);
    this.#emitter?.started();
  }

  #supervision(timeout: TimeLimit): Supervision {
    const { maxOutputBytes, maxStreamBytes } = this.#bounds;
    const emitter = this.#emitter;
    const sink: OutputSink | undefined = emitter ? (stream, data) => emitter.output(stream, data) : undefined;
    const { owner, memory } = this.#session;
    const room = {
      take: (bytes: number) => memory.output.take(owner, bytes),
      give: (bytes: number) => memory.output.add(owner, -bytes),
    };
    return {
      room,
      sandbox: this.#session.lease.sandbox,
      wallMs: wallMsOf(timeout, this.#bounds) ?? this.#wallMs ?? null,
      cpuMs: null,
      cpus: this.#session.lease.limits.cpus,
      maxOutputBytes,
      maxStreamBytes,
      cancel: this.#run.cancelled,
      ...(sink && { sink }),
    };
  }
}

/** A tool that is told to stop leaves everything as it was; one that does not is killed. */
function stopGently(process: Process, ended: Promise<unknown>): void {
  process.signal('SIGTERM');
  const timer = setTimeout(() => process.kill(), GRACE_MS);
  const clear = () => clearTimeout(timer);
  ended.then(clear, clear);
}
