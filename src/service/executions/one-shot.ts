import { outputOf, type RunResult } from '../../commands/command.ts';
import { decodeContent } from '../../commands/content.ts';
import { fileIn } from '../../commands/paths.ts';
import { invalid, ServiceError } from '../../errors.ts';
import { InstallFailed } from '../../packages/install-failed.ts';
import { FileRefused, type Process, ProgramNotFound, SandboxLost, WORKSPACE } from '../../sandbox.ts';
import type { FilledExecution } from '../../schemas/defaults.ts';
import type { CompileResult, Encoding, OutputFile } from '../../schemas/execution.ts';
import { LIMITS } from '../../schemas/limits.ts';
import { type LimitHit, type Outcome, withHit } from '../../schemas/outcome.ts';
import { whyNotInstalled } from '../packages/why-not-installed.ts';
import type { Lease } from '../placement/lease.ts';
import { type Compiled, compileFailed, compileProgram } from '../supervision/compile.ts';
import { decodeOutput, encodeOutput } from '../supervision/output-encoding.ts';
import { type RunHandle, startProgram, stdinOf } from '../supervision/program.ts';
import { type OutputSink, type Supervision, supervise } from '../supervision/supervise.ts';
import { collectOutputs, type OutputHooks, type WantedOutput } from './collect-outputs.ts';

/** A one-shot's request, checked and with its defaults filled in. */
export interface OneShot {
  readonly code: string;
  /** Absolute path of the file that the code is written to. */
  readonly codePath: string;
  readonly args: readonly string[];
  /** Of its output in the result. */
  readonly stdoutEncoding: Encoding | undefined;
  readonly stdin: string | undefined;
  /** Standard input stays open for `process.input`. */
  readonly interactive: boolean;
  /** Its output may be read while it runs. */
  readonly live: boolean;
  readonly files: readonly { readonly path: string; readonly data: Uint8Array }[];
  readonly outputs: readonly WantedOutput[];
  readonly wallMs: number;
  readonly cpuMs: number | null;
  /** Wall limit of the compile stage, milliseconds. */
  readonly compileMs: number;
}

export interface OneShotResult {
  readonly runResult: RunResult;
  /** Null when the language is not compiled or compilation never started. */
  readonly compile: CompileResult | null;
  readonly files: readonly OutputFile[];
  readonly missingFiles: readonly string[];
}

/** Callbacks of a running one-shot. */
export interface RunHooks extends OutputHooks {
  readonly sink: OutputSink;
  /** Runs the program. */
  around(run: () => Promise<RunResult>): Promise<RunResult>;
  onStart(handle: RunHandle): void;
}

/** @throws {ServiceError} VALIDATION_ERROR naming the field */
export function readRequest(
  request: FilledExecution,
  { fileName, interactive, live }: { fileName: string; interactive: boolean; live: boolean },
): OneShot {
  const { code, args, stdin, stdoutEncoding, config } = request;
  const codePath = `${WORKSPACE}/${fileName}`;
  const files = request.files.map(({ path, content, encoding = 'utf8' }, i) => ({
    path: fileIn(path, `files[${i}].path`),
    data: decodeContent(content, encoding, `files[${i}].content`),
  }));
  const clash = files.findIndex(file => file.path === codePath);
  if (clash >= 0) throw invalid(`files[${clash}].path`, `${fileName} is where the code itself is written`);
  // The code file is last in the list, so a clash is reported for the client's file.
  const below = belowAnother([...files.map(file => file.path), codePath]);
  if (below >= 0) throw invalid(`files[${below}].path`, 'lies in a directory that is one of the other files');
  return {
    code,
    codePath,
    args,
    stdin,
    stdoutEncoding,
    interactive: interactive && stdin === undefined,
    live,
    files,
    outputs: request.outputFiles.map((asked, i) => {
      const optional = asked.endsWith('?');
      const name = optional ? asked.slice(0, -1) : asked;
      return { number: i, name, path: fileIn(name, `outputFiles[${i}]`), optional };
    }),
    wallMs: config.timeout * 1000,
    compileMs: config.compileTimeout * 1000,
    cpuMs: config.cpuTime === undefined ? null : config.cpuTime * 1000,
  };
}

/**
 * Index of a path that lies below another path of the list, or -1. In sorted order a path's descendants
 * follow it directly, so one pass is enough.
 */
function belowAnother(paths: readonly string[]): number {
  const sorted = paths.map((path, i) => ({ i, key: `${path}/` })).sort((a, b) => (a.key < b.key ? -1 : 1));
  const at = sorted.findIndex(({ key }, n) => {
    const before = sorted[n - 1]?.key;
    return before !== undefined && key !== before && key.startsWith(before);
  });
  return sorted[at]?.i ?? -1;
}

/**
 * Runs a one-shot in its own sandbox: writes files, compiles, runs, collects files. Every failure is part of
 * the result.
 */
export async function runOneShot(
  lease: Lease,
  shot: OneShot,
  bounds: { maxOutputBytes: number; maxStreamBytes: number },
  cancel: AbortSignal,
  hooks: RunHooks,
): Promise<OneShotResult> {
  const { sandbox } = lease;
  const code = Buffer.from(shot.code, 'utf8');
  let written = Promise.resolve();
  let refused: unknown;
  try {
    for (const { path, data } of shot.files) await sandbox.files.write(path, data);
    const write = () => {
      written = sandbox.files.write(shot.codePath, code);
    };
    if (lease.toolchain.compile || code.byteLength > LIMITS.chainedBytes) {
      write();
      await written;
    } else {
      // The program is asked for right behind it, and its start awaits it.
      sandbox.files.inChain(write);
      written.catch((error: unknown) => {
        refused = error;
      });
    }
  } catch (error) {
    return neverRan(shot, error, cancel.aborted);
  }
  const { stdoutEncoding } = shot;
  const plan = { sandbox, cpuMs: null, cpus: lease.limits.cpus, ...bounds, cancel, stdoutEncoding };
  const failed = (error: unknown) => inEncoding(unstarted(error), stdoutEncoding);
  const stage = await compileStage(lease, shot, plan).catch(failed);
  if (stage && !('output' in stage)) return { runResult: stage, compile: null, ...missing(shot) };
  const compile = stage && asResult(stage.runResult);
  if (stage && stage.runResult.outcome !== 'ok') {
    const runResult = compileFailed(stage.runResult, lease.toolchain);
    await hooks.sink('stderr', decodeOutput(runResult, 'stderr'));
    return { runResult, compile, ...missing(shot) };
  }
  const program = stage?.output ?? shot.codePath;
  let process: Process | undefined;
  const limits = { wallMs: shot.wallMs, cpuMs: shot.cpuMs, sink: hooks.sink };
  const run = () =>
    supervise({ ...plan, ...limits }, async sink => {
      const argv = [...lease.toolchain.run(program, lease.permissions), ...shot.args];
      const stdin = stdinOf(shot.stdin, shot.interactive);
      const { live } = shot;
      const started = await startProgram(
        sandbox,
        { argv, cwd: WORKSPACE, env: lease.env, stdin, live },
        sink,
        written,
      );
      const run = started.process;
      process = run;
      hooks.onStart({
        pid: run.pid,
        argv,
        input: shot.interactive ? run : null,
        drained: () => run.drained(),
        signal: name => run.signal(name),
      });
      return started;
    });
  const runResult = await hooks.around(run).catch(failed);
  if (refused !== undefined) return neverRan(shot, refused, cancel.aborted);
  // Background processes of the program must not change files while they are read.
  if (shot.outputs.length === 0) return { runResult, compile, ...missing(shot) };
  process?.kill();
  const { left, ...files } = await collectOutputs(sandbox, shot.outputs, hooks);
  const usage = left ? withHit(runResult.usage, 'output') : runResult.usage;
  return { runResult: { ...runResult, usage }, compile, ...files };
}

/** Null for a language that is not compiled. */
async function compileStage(
  lease: Lease,
  shot: OneShot,
  plan: Omit<Supervision, 'wallMs'>,
): Promise<Compiled | null> {
  const { toolchain, env } = lease;
  const { compile } = toolchain;
  if (!compile) return null;
  const others = shot.files.map(({ path }) => path);
  return compileProgram({ ...plan, wallMs: shot.compileMs }, { compile, file: shot.codePath, others, env });
}

function asResult(runResult: RunResult): CompileResult {
  const { exitCode, outcome, durationMs } = runResult;
  return { exitCode, ...outputOf(runResult), outcome, durationMs };
}

/** Result of a run that never started: cancelled while waiting, no room for its files, or no sandbox. */
export function neverRan(shot: OneShot, error: unknown, cancelled: boolean): OneShotResult {
  const runResult = cancelled ? nothing('cancelled', '') : unwritten(error);
  return { runResult: inEncoding(runResult, shot.stdoutEncoding), compile: null, ...missing(shot) };
}

function missing(shot: OneShot): Pick<OneShotResult, 'files' | 'missingFiles'> {
  return {
    files: [],
    missingFiles: shot.outputs.filter(output => !output.optional).map(output => output.name),
  };
}

/** Result when the request's files don't fit on the disk. */
function unwritten(error: unknown): RunResult {
  return error instanceof FileRefused ? nothing('disk_limit', error.message) : unstarted(error);
}

function unstarted(error: unknown): RunResult {
  // A shell's exit code for a command that can't be executed, e.g. arguments too long.
  if (error instanceof FileRefused) return { ...nothing('nonzero_exit', error.message), exitCode: 126 };
  if (error instanceof ProgramNotFound) return { ...nothing('nonzero_exit', error.message), exitCode: 127 };
  if (error instanceof InstallFailed) return nothing('install_error', whyNotInstalled(error));
  if (error instanceof SandboxLost && error.outOfMemory) return nothing('memory_limit', error.message);
  const known = error instanceof SandboxLost || error instanceof ServiceError;
  return nothing('sandbox_lost', known ? error.message : 'The sandbox could not be used');
}

/** A result of ours, whose output is text, in the encoding that was asked for. */
function inEncoding(runResult: RunResult, encoding: Encoding | undefined): RunResult {
  const { stdout, stderr } = runResult;
  return { ...runResult, ...encodeOutput(Buffer.from(stdout), Buffer.from(stderr), encoding) };
}

function nothing(outcome: Outcome, why: string): RunResult {
  const limitsHit: LimitHit[] = [];
  if (outcome === 'disk_limit') limitsHit.push('disk');
  if (outcome === 'memory_limit') limitsHit.push('memory');
  return {
    outcome,
    exitCode: null,
    signal: null,
    stdout: '',
    stderr: why && `${why}\n`,
    stdoutBytes: 0,
    stderrBytes: 0,
    truncated: false,
    durationMs: 0,
    usage: {
      wallMs: 0,
      cpuMs: null,
      peakMemoryBytes: null,
      peakProcesses: null,
      oomKilled: outcome === 'memory_limit',
      limitsHit,
    },
  };
}
