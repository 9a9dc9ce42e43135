import type { CellResult, CellSpec, ProgramSpec, RunResult, TimeLimit } from '../../commands/command.ts';
import { invalid, notSupported, ServiceError } from '../../errors.ts';
import type { CellRequest } from '../../kernels/protocol.ts';
import type { Language } from '../../languages/language.ts';
import { WORKSPACE } from '../../sandbox.ts';
import { LIMITS } from '../../schemas/limits.ts';
import { withHit } from '../../schemas/outcome.ts';
import type { Toolchain } from '../../toolchains/toolchain.ts';
import type { Queue } from '../admission/queue.ts';
import type { Emitter } from '../events/emitter.ts';
import { type Lease, languageOf } from '../placement/lease.ts';
import { compileFailed, compileProgram } from '../supervision/compile.ts';
import { decodeOutput } from '../supervision/output-encoding.ts';
import type { RunHandle } from '../supervision/program.ts';
import { type Supervision, supervise } from '../supervision/supervise.ts';
import type { CellDebugger } from './cell-debugger.ts';
import type { CompiledPrograms } from './compiled-programs.ts';
import type { RunningCell } from './kernel-client.ts';
import type { KernelSlot } from './kernel-slot.ts';
import { Results } from './results.ts';

const MB = 1024 * 1024;
/** Directory of a cell's source while it is compiled. */
const CELL_DIRECTORY = `${WORKSPACE}/.cell`;

/** The part of a session that a cell uses. */
interface CellSession {
  readonly lease: Lease;
  readonly programs: CompiledPrograms;
  context(name: string, language: Language, toolchain: Toolchain): KernelSlot;
}

/** The part of a command that a cell uses. */
export interface CellContext {
  readonly session: CellSession;
  readonly emitter: Emitter | null;
  /** Standard input may come from `process.input`. */
  readonly interactive: boolean;
  readonly client: string;
  readonly queue: Queue;
  readonly cancelled: AbortSignal;
  supervision(timeout: TimeLimit): Supervision;
  /** Called when the cell leaves the queue, with the time it waited. */
  admitted(waitedMs: number): void;
  /** Called when the program or cell runs; `handle` reaches it. */
  started(handle: RunHandle): void;
  runProgram(spec: ProgramSpec): Promise<RunResult>;
  /** Does what the cell's lines install, before it begins; undefined for a cell without such lines. */
  installs(code: string): Promise<CellRequest['installs']>;
}

/**
 * Runs a cell in a kernel that keeps state, or as a whole program where the language is compiled. CONTRIBUTING.md lists, in
 * order, the gates that a cell passes ("The gates of a cell"); whoever adds one adds it there.
 */
export function runCell(context: CellContext, spec: CellSpec): Promise<CellResult> {
  const choice = checkCell(context.session, spec);
  // A time limit that is refused is so before the cell waits for its turn.
  context.supervision(spec.timeout);
  const slot = context.session.context(spec.context, choice.language, choice.toolchain);
  return inTurn(context, spec, slot, choice);
}

/** What a cell runs in. @throws {ServiceError} what is wrong with the cell for this session */
export function checkCell(session: Pick<CellSession, 'lease'>, spec: CellSpec): Choice {
  const choice = toolchainOf(session, spec.language);
  checkMemory(session, spec.memoryLimit);
  return choice;
}

async function inTurn(
  context: CellContext,
  spec: CellSpec,
  slot: KernelSlot,
  choice: Choice,
): Promise<CellResult> {
  const endTurn = await slot.turn(context.cancelled);
  try {
    // Who waits for packages takes nobody's place.
    const installs = choice.language.name === 'python' ? await context.installs(spec.code) : undefined;
    const takenAt = performance.now();
    const debuggedBy = slot.connectedDebugger;
    const leaveQueue = debuggedBy?.hold() ?? (await context.queue.enter(context.client, context.cancelled));
    context.admitted(performance.now() - takenAt);
    const run = choice.toolchain.kernel ? runInKernel : runCompiled;
    const inside = () => run(context, spec, slot, { ...choice, installs, debuggedBy });
    try {
      if (spec.memoryLimit === undefined) return await inside();
      await using _limit = await lowerMemory(context.session, spec.memoryLimit);
      return await inside();
    } finally {
      leaveQueue();
    }
  } finally {
    endTurn();
  }
}

interface Choice {
  readonly language: Language;
  readonly toolchain: Toolchain;
  readonly installs?: CellRequest['installs'];
  readonly debuggedBy?: CellDebugger | null;
}

async function runInKernel(
  context: CellContext,
  spec: CellSpec,
  slot: KernelSlot,
  { language, installs, debuggedBy }: Choice,
): Promise<CellResult> {
  const kernel = await slot.kernel(spec.directory);
  const results = new Results(context.emitter);
  const cell = {
    code: spec.code,
    typescript: language.name === 'typescript',
    stdin: spec.stdin,
    interactive: context.interactive && spec.stdin === undefined,
    environment: spec.environment,
    structured: spec.structured,
    installs,
    results,
  };
  let running: RunningCell | undefined;
  const { meter } = kernel;
  const plan = {
    ...context.supervision(spec.timeout),
    ...(debuggedBy && { wallFrom: debuggedBy.gone }),
    meter,
    stdoutEncoding: spec.stdoutEncoding,
  };
  const runResult = await supervise(plan, async sink => {
    running = await kernel.run(cell, sink);
    const { pid, argv, input, drained, signal } = running;
    context.started({ pid, argv, input, drained, signal });
    return running;
  });
  return {
    ...runResult,
    usage: results.incomplete ? withHit(runResult.usage, 'output') : runResult.usage,
    results: results.bundles,
    resultBytes: results.heldBytes,
    error: running?.error() ?? null,
    stateLost: running?.died() ?? false,
    executionCount: ++slot.cells,
  };
}

/** Runs a cell as a whole program. An unchanged program is not compiled again. */
async function runCompiled(
  context: CellContext,
  spec: CellSpec,
  slot: KernelSlot,
  { language, toolchain }: Choice,
): Promise<CellResult> {
  const { programs, lease } = context.session;
  const none = { results: [], resultBytes: 0, error: null, stateLost: false, executionCount: ++slot.cells };
  let output = await programs.find(language.name, spec.code);
  if (output === null) {
    const compiled = await compileCell(context, spec, { language, toolchain });
    if (compiled.runResult.outcome !== 'ok') {
      const runResult = compileFailed(compiled.runResult, toolchain);
      const isError = runResult.outcome === 'compile_error';
      return {
        ...none,
        ...runResult,
        error: isError
          ? compileError(compiled.runResult, decodeOutput(runResult, 'stderr').toString())
          : null,
      };
    }
    ({ output } = compiled);
    await programs.keep(language.name, spec.code, output);
  }
  const argv = toolchain.run(output, lease.permissions);
  const { stdin, timeout, stdoutEncoding, directory: cwd = WORKSPACE, environment = {} } = spec;
  return {
    ...none,
    ...(await context.runProgram({ argv, cwd, environment, stdin, timeout, stdoutEncoding })),
  };
}

async function compileCell(
  context: CellContext,
  { code, stdoutEncoding }: CellSpec,
  { language, toolchain }: Choice,
) {
  const { sandbox, env } = context.session.lease;
  const file = `${CELL_DIRECTORY}/${language.fileName}`;
  const { compile } = toolchain;
  if (!compile) throw notSupported('language', `${language.name} keeps no state here`);
  await sandbox.files.write(file, Buffer.from(code, 'utf8'));
  try {
    const { sink: _, ...plan } = context.supervision({
      asked: undefined,
      byDefault: LIMITS.compileTimeoutSeconds,
    });
    return await compileProgram({ ...plan, stdoutEncoding }, { compile, file, others: [], env });
  } finally {
    await sandbox.files.remove(CELL_DIRECTORY, { recursive: true }).catch(() => {});
  }
}

function compileError(stage: RunResult, text: string) {
  // Go's first line is `# <package>`.
  const message = text.split('\n').find(line => line && !line.startsWith('#')) ?? '';
  const limit = stage.outcome === 'nonzero_exit' ? '' : `${stage.outcome} `;
  return { name: 'CompileError', message: `${limit}${message}`.trim(), traceback: text };
}

/** Language and toolchain of a cell: the session's own, or another that its sandbox can run. */
function toolchainOf({ lease }: Pick<CellSession, 'lease'>, name: string | undefined): Choice {
  const { runtime } = lease;
  const language = name === undefined ? lease.language : languageOf(name).language;
  const toolchain = runtime.toolchainFor(language) ?? runtime.guestToolchainFor(language);
  if (toolchain?.kernel || toolchain?.compile) return { language, toolchain };
  throw notSupported('language', `${language.name} can't run in a ${runtime.type} session`);
}

function checkMemory({ lease: { limits } }: Pick<CellSession, 'lease'>, limitMB = 0): void {
  if (limitMB * MB > limits.memoryBytes)
    throw invalid('memoryLimit', `is above the session's ${limits.memoryBytes / MB} MB`);
}

async function lowerMemory({ lease }: CellSession, limitMB: number): Promise<AsyncDisposable> {
  const { sandbox, limits } = lease;
  const bytes = limitMB * MB;
  if (bytes === limits.memoryBytes) return { async [Symbol.asyncDispose]() {} };
  if (!(await sandbox.limitMemory(bytes))) {
    throw new ServiceError('CONFLICT', `The session uses more than ${limitMB} MB already`, {
      field: 'memoryLimit',
    });
  }
  return { [Symbol.asyncDispose]: async () => void (await sandbox.limitMemory(limits.memoryBytes)) };
}
