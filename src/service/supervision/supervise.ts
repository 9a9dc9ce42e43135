import type { RunResult } from '../../commands/command.ts';
import { type Measurement, type Sandbox, SandboxLost, type StreamName } from '../../sandbox.ts';
import type { Outcome } from '../../schemas/outcome.ts';
import { KeptOutput, type OutputRoom } from './kept-output.ts';
import {
  decideOutcome,
  limitsHit,
  type Observations,
  type TerminationReason,
  timeoutCause,
} from './outcome.ts';

/** Takes output as it comes; what it returns is waited for, so that a slow reader slows the program. */
export type OutputSink = (stream: StreamName, data: Uint8Array) => Promise<void> | void;

/** Something that runs: a program, or a cell in an interpreter. */
export interface SupervisedRun {
  /** Resolves when it has ended and its output has been handed over. Rejects with SandboxLost. */
  readonly ended: Promise<ExitStatus>;
  /** Ends it because of a limit, whatever it does. Called at most once. */
  stop(): void;
  /** Ends what it left running. */
  sweep(): void;
}

export interface ExitStatus {
  readonly exitCode: number | null;
  readonly signal: string | null;
}

export interface Supervision {
  readonly sandbox: Sandbox;
  /** Milliseconds; null for none. */
  readonly wallMs: number | null;
  /** Summed over all processes; null for none. */
  readonly cpuMs: number | null;
  readonly cpus: number;
  readonly maxOutputBytes: number;
  readonly maxStreamBytes: number;
  /** For what is kept of output while it runs, where many may run at once. */
  readonly room?: OutputRoom;
  /** Cancels the run. */
  readonly cancel: AbortSignal;
  readonly sink?: OutputSink;
}

const LIMIT_OUTCOMES: ReadonlySet<Outcome> = new Set(['memory_limit', 'process_limit', 'disk_limit']);
const CPU_POLL_MS = 50;
/** What a killed program may take to be gone; after that its sandbox goes. */
const STOP_GRACE_MS = 5000;

/** Runs something under limits and says exactly how it ended. Rejects only if it could not be started. */
export async function supervise(
  plan: Supervision,
  start: (sink: OutputSink) => Promise<SupervisedRun>,
): Promise<RunResult> {
  const { sandbox, maxOutputBytes, room } = plan;
  const kept = { stdout: new KeptOutput(maxOutputBytes, room), stderr: new KeptOutput(maxOutputBytes, room) };
  using closing = new DisposableStack();
  for (const stream of Object.values(kept)) closing.defer(() => stream.close());
  const termination = new Termination();
  sandbox.resetPeaks();
  const before = await sandbox.measure();
  const running = await start((stream, data) => {
    kept[stream].add(data);
    if (kept[stream].bytes > plan.maxStreamBytes) termination.request('output_limit');
    const wait = plan.sink?.(stream, data);
    // Once it is to end, nobody's slowness may keep what it wrote from being drained.
    return wait && termination.orRequested(wait);
  });
  const startedAt = performance.now();
  using _watch = watch(plan, before, termination);
  termination.requested.then(() => running.stop());
  const { end, lost } = await waitForExit(running, termination, sandbox);
  // What strikes from here on was not what ended it.
  const { cause } = termination;
  const durationMs = Math.round(performance.now() - startedAt);
  const after = await sandbox.measure();
  const observations: Observations = {
    cause,
    ...end,
    oomKills: after.oomKills - before.oomKills,
    forksRefused: after.forksRefused - before.forksRefused,
    diskFull: !lost && sandbox.diskFull(),
    truncated: kept.stdout.truncated || kept.stderr.truncated,
    lost,
  };
  const outcome = decideOutcome(observations);
  // A limit that ends a program ends its whole tree; the causes that requested have done so already.
  if (!lost && !cause && LIMIT_OUTCOMES.has(outcome)) running.sweep();
  return {
    ...end,
    outcome,
    stdout: kept.stdout.text(),
    stderr: kept.stderr.text(),
    stdoutBytes: kept.stdout.bytes,
    stderrBytes: kept.stderr.bytes,
    truncated: observations.truncated,
    durationMs,
    usage: {
      wallMs: durationMs,
      cpuMs: cpuBetween(before, after),
      peakMemoryBytes: after.peakMemoryBytes,
      peakProcesses: after.peakProcesses,
      oomKilled: observations.oomKills > 0 || lost?.outOfMemory === true,
      limitsHit: limitsHit(observations),
    },
  };
}

/** Remembers the first cause to end a run, and tells. */
class Termination {
  cause: TerminationReason | null = null;
  readonly #resolvers = Promise.withResolvers<void>();
  readonly requested = this.#resolvers.promise;
  #stopWaiting = () => {};

  request(cause: TerminationReason): void {
    this.cause ??= cause;
    this.#resolvers.resolve();
    this.#stopWaiting();
  }

  /**
   * Resolves with `wait` or the termination, whichever comes first; one at a time. A race with `requested` would hold on to
   * every wait until the run is over.
   */
  orRequested(wait: Promise<void>): Promise<void> | undefined {
    if (this.cause) return undefined;
    return new Promise(resolve => {
      this.#stopWaiting = resolve;
      void wait.then(resolve);
    });
  }
}

/** Watches the clock, the CPU and the caller until disposed. */
function watch(plan: Supervision, before: Measurement, termination: Termination): Disposable {
  const { sandbox, wallMs, cpuMs, cpus, cancel } = plan;
  // A limit strikes whether or not what was used can still be told.
  const used = async () => cpuBetween(before, await sandbox.measure().catch(() => before));
  const cancelled = () => termination.request('cancelled');
  const wall =
    wallMs !== null &&
    setTimeout(async () => termination.request(timeoutCause(await used(), wallMs, cpus)), wallMs);
  const cpu =
    cpuMs !== null &&
    setInterval(async () => {
      if (((await used()) ?? 0) >= cpuMs) termination.request('cpu_timeout');
    }, CPU_POLL_MS);
  cancel.addEventListener('abort', cancelled, { once: true });
  if (cancel.aborted) cancelled();
  return {
    [Symbol.dispose]() {
      if (wall) clearTimeout(wall);
      if (cpu) clearInterval(cpu);
      cancel.removeEventListener('abort', cancelled);
    },
  };
}

/** Waits for the end; a program that outlives its kill takes its sandbox with it. */
async function waitForExit(
  running: SupervisedRun,
  termination: Termination,
  sandbox: Sandbox,
): Promise<{ end: ExitStatus; lost: { outOfMemory: boolean } | null }> {
  let timer: NodeJS.Timeout | undefined;
  const tooLong = termination.requested.then(
    () => new Promise<null>(resolve => (timer = setTimeout(resolve, STOP_GRACE_MS, null))),
  );
  const killed: ExitStatus = { exitCode: null, signal: 'SIGKILL' };
  try {
    const end = await Promise.race([running.ended, tooLong]);
    if (end) return { end, lost: null };
    await sandbox.close();
    return { end: killed, lost: { outOfMemory: false } };
  } catch (error) {
    if (!(error instanceof SandboxLost)) throw error;
    return { end: killed, lost: { outOfMemory: error.outOfMemory } };
  } finally {
    clearTimeout(timer);
  }
}

function cpuBetween(before: Measurement, after: Measurement): number | null {
  return before.cpuMs === null || after.cpuMs === null ? null : Math.round(after.cpuMs - before.cpuMs);
}
