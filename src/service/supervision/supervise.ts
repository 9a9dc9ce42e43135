import type { RunResult } from '../../commands/command.ts';
import { type Measurement, type Meter, type Sandbox, SandboxLost, type StreamName } from '../../sandbox.ts';
import type { Encoding } from '../../schemas/execution.ts';
import type { Outcome } from '../../schemas/outcome.ts';
import { KeptOutput, type OutputRoom } from './kept-output.ts';
import {
  decideOutcome,
  limitsHit,
  type Observations,
  type TerminationReason,
  timeoutCause,
} from './outcome.ts';
import { encodeOutput } from './output-encoding.ts';

/** Receives output. Its promise is awaited, so a slow reader slows the program. */
export type OutputSink = (stream: StreamName, data: Uint8Array) => Promise<void> | void;

/** Something that runs: a program, or a cell in an interpreter. */
export interface SupervisedRun {
  /** Resolves when it has ended and its output has been handed over. Rejects with SandboxLost. */
  readonly ended: Promise<ExitStatus>;
  /** Measures it from its start, where that can be told from the rest of its sandbox. */
  readonly meter?: Meter | null;
  /** Ends it, e.g. because of a limit. Called at most once. */
  stop(): void;
  /** Kills the processes it left running. */
  sweep(): void;
}

export interface ExitStatus {
  readonly exitCode: number | null;
  readonly signal: string | null;
}

export interface Supervision {
  readonly sandbox: Sandbox;
  /** Measures what is run, if that is there before its start; by default the sandbox does. */
  readonly meter?: Meter | null;
  /** Milliseconds; null for none. */
  readonly wallMs: number | null;
  /** Aborted when the wall limit begins to count; undefined: from the start on. */
  readonly wallFrom?: AbortSignal;
  /** Summed over all processes; null for none. */
  readonly cpuMs: number | null;
  readonly cpus: number;
  readonly maxOutputBytes: number;
  readonly maxStreamBytes: number;
  /** Of the output in the result; undefined: utf8. */
  readonly stdoutEncoding?: Encoding | undefined;
  /** Budget for the output kept while it runs, shared by many runs. */
  readonly room?: OutputRoom;
  /** Cancels the run. */
  readonly cancel: AbortSignal;
  readonly sink?: OutputSink;
}

const LIMIT_OUTCOMES: ReadonlySet<Outcome> = new Set(['memory_limit', 'process_limit', 'disk_limit']);
const NOTHING_USED = { cpuMs: 0, peakMemoryBytes: null, peakProcesses: null, oomKills: 0, forksRefused: 0 };
const CPU_POLL_MS = 50;
/** Time for a killed program to end, after which its sandbox is closed, milliseconds. */
const STOP_GRACE_MS = 5000;

/** Runs a program or cell under limits and resolves to its result. Rejects only if it could not be started. */
export async function supervise(
  plan: Supervision,
  start: (sink: OutputSink) => Promise<SupervisedRun>,
): Promise<RunResult> {
  const { maxOutputBytes, room } = plan;
  const kept = { stdout: new KeptOutput(maxOutputBytes, room), stderr: new KeptOutput(maxOutputBytes, room) };
  try {
    return await superviseInto(kept, plan, start);
  } finally {
    kept.stdout.close();
    kept.stderr.close();
  }
}

async function superviseInto(
  kept: Readonly<Record<StreamName, KeptOutput>>,
  plan: Supervision,
  start: (sink: OutputSink) => Promise<SupervisedRun>,
): Promise<RunResult> {
  const { sandbox, stdoutEncoding } = plan;
  const termination = new Termination();
  if (plan.meter) sandbox.beginApart();
  const beforeStart = await (plan.meter ?? sandbox).begin();
  const askedAt = performance.now();
  const running = await start((stream, data) => {
    kept[stream].add(data);
    if (kept[stream].bytes > plan.maxStreamBytes) termination.request('output_limit');
    const wait = plan.sink?.(stream, data);
    // After a termination request, a slow reader must not keep the remaining output from being drained.
    return wait && termination.orRequested(wait);
  });
  const startedAt = performance.now();
  const meter = running.meter ?? plan.meter ?? sandbox;
  const before = running.meter ? NOTHING_USED : beforeStart;
  const unwatch = watch(plan, () => used(meter, before), termination);
  const { end, lost } = await waitForExit(running, termination, sandbox).finally(unwatch);
  // Later requests did not end it.
  const { cause } = termination;
  const endedAt = performance.now();
  const after = await meter.measure();
  // A short program has run before its start was told: as long at least as its CPU time takes, and no longer than since it was asked for.
  const computing = Math.min((cpuBetween(before, after) ?? 0) / Math.max(plan.cpus, 1), endedAt - askedAt);
  const durationMs = Math.round(Math.max(endedAt - startedAt, computing));
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
  // A limit ends the program's whole process tree. Requested terminations have done that already.
  if (!lost && !cause && LIMIT_OUTCOMES.has(outcome)) running.sweep();
  return {
    ...end,
    outcome,
    ...encodeOutput(kept.stdout.content(stdoutEncoding), kept.stderr.content(stdoutEncoding), stdoutEncoding),
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

/** The first reason to end a run. */
class Termination {
  cause: TerminationReason | null = null;
  #stop = () => {};
  #stopWaiting = () => {};

  request(cause: TerminationReason): void {
    const isFirst = this.cause === null;
    this.cause ??= cause;
    if (isFirst) this.#stop();
    this.#stopWaiting();
  }

  /** Calls `stop` once, at the first request, unless the run is over by then; at once if there was one. */
  onRequest(stop: () => void): void {
    this.#stop = stop;
    if (this.cause) stop();
  }

  /** Nothing is left to stop: what runs in its interpreter next is another's. */
  over(): void {
    this.#stop = () => {};
  }

  /** Resolves with `wait` or the termination, whichever comes first; one at a time. */
  orRequested(wait: Promise<void>): Promise<void> | undefined {
    if (this.cause) return undefined;
    return new Promise(resolve => {
      this.#stopWaiting = resolve;
      void wait.then(resolve);
    });
  }
}

/** Requests termination on wall limit, CPU limit or cancellation, until the returned function is called. */
function watch(
  { wallMs, wallFrom, cpuMs, cpus, cancel }: Supervision,
  used: () => Promise<number | null>,
  termination: Termination,
): () => void {
  const cancelled = () => termination.request('cancelled');
  let wall: NodeJS.Timeout | undefined;
  const startWall = () => {
    if (wallMs !== null)
      wall = setTimeout(async () => termination.request(timeoutCause(await used(), wallMs, cpus)), wallMs);
  };
  if (wallFrom && !wallFrom.aborted) wallFrom.addEventListener('abort', startWall, { once: true });
  else startWall();
  const cpu =
    cpuMs !== null &&
    setInterval(async () => {
      if (((await used()) ?? 0) >= cpuMs) termination.request('cpu_timeout');
    }, CPU_POLL_MS);
  cancel.addEventListener('abort', cancelled, { once: true });
  if (cancel.aborted) cancelled();
  return () => {
    clearTimeout(wall);
    wallFrom?.removeEventListener('abort', startWall);
    if (cpu) clearInterval(cpu);
    cancel.removeEventListener('abort', cancelled);
  };
}

/** Waits for the end, and stops what is to be terminated. The sandbox of a program that survives its kill is closed. */
async function waitForExit(
  running: SupervisedRun,
  termination: Termination,
  sandbox: Sandbox,
): Promise<{ end: ExitStatus; lost: { outOfMemory: boolean } | null }> {
  let timer: NodeJS.Timeout | undefined;
  const killed: ExitStatus = { exitCode: null, signal: 'SIGKILL' };
  try {
    const end = await new Promise<ExitStatus | null>((resolve, reject) => {
      running.ended.then(resolve, reject);
      termination.onRequest(() => {
        timer = setTimeout(resolve, STOP_GRACE_MS, null);
        running.stop();
      });
    });
    if (end) return { end, lost: null };
    await sandbox.close();
    return { end: killed, lost: { outOfMemory: false } };
  } catch (error) {
    if (!(error instanceof SandboxLost)) throw error;
    return { end: killed, lost: { outOfMemory: error.outOfMemory } };
  } finally {
    termination.over();
    clearTimeout(timer);
  }
}

/** Milliseconds of CPU; none if they can't be read any more, for the limit applies all the same. */
async function used(meter: Meter, before: Measurement): Promise<number | null> {
  return cpuBetween(before, await meter.measure().catch(() => before));
}

function cpuBetween(before: Measurement, after: Measurement): number | null {
  return before.cpuMs === null || after.cpuMs === null ? null : Math.round(after.cpuMs - before.cpuMs);
}
