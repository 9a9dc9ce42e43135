import type { CellEnding, CellSpec, Ending, ProgramSpec, TimeLimit } from '../../commands/command.ts';
import { invalid, notSupported, ServiceError } from '../../errors.ts';
import type { Language, Toolchain } from '../../languages/language.ts';
import { WORKSPACE } from '../../sandbox.ts';
import { withHit } from '../../schemas/outcome.ts';
import type { FairQueue } from '../admission/fair-queue.ts';
import type { Emitter } from '../events/emitter.ts';
import { compileFailed, compileProgram, DEFAULT_COMPILE_SECONDS } from '../executions/compile.ts';
import { languageOf } from '../placement/lease.ts';
import type { Session } from '../sessions/session.ts';
import { feed, type Port } from '../supervision/program.ts';
import { type Supervision, supervise } from '../supervision/supervise.ts';
import type { RunningCell } from './kernel-client.ts';
import type { Context } from './kernel-slot.ts';
import { Results } from './results.ts';

/** Where a cell that is compiled lies while it is. */
const CELL_DIRECTORY = `${WORKSPACE}/.cell`;

/** The command that a cell belongs to, as far as it concerns a cell. */
export interface CellBench {
  readonly session: Session;
  readonly emitter: Emitter | null;
  /** Standard input may come from `process.input`. */
  readonly interactive: boolean;
  readonly client: string;
  readonly queue: FairQueue;
  readonly cancelled: AbortSignal;
  supervision(timeout: TimeLimit): Supervision;
  /** A program or cell runs; `port` is the way to it. */
  started(port: Port): void;
  runProgram(spec: ProgramSpec): Promise<Ending>;
}

/** Runs a cell when it is its turn: in a kernel that keeps state, or as a whole program where the language is compiled. */
export async function runCell(bench: CellBench, spec: CellSpec): Promise<CellEnding> {
  const { language, toolchain } = toolchainOf(bench.session, spec.language);
  const context = bench.session.context(spec.context, language, toolchain);
  const endTurn = await context.turn(bench.cancelled);
  try {
    const leaveQueue = await bench.queue.enter(bench.client, bench.cancelled);
    try {
      await using _limit = await lowerMemory(bench.session, spec.memoryLimit);
      const run = toolchain.kernel ? runInKernel : runCompiled;
      return await run(bench, spec, context, { language, toolchain });
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
}

async function runInKernel(
  bench: CellBench,
  spec: CellSpec,
  context: Context,
  { language }: Choice,
): Promise<CellEnding> {
  const interpreter = await context.interpreter();
  const results = new Results(bench.emitter);
  const cell = {
    code: spec.code,
    typescript: language.name === 'typescript',
    stdin: spec.stdin,
    interactive: bench.interactive && spec.stdin === undefined,
    results,
  };
  let running: RunningCell | undefined;
  const ending = await supervise(bench.supervision(spec.timeout), async sink => {
    running = await interpreter.run(cell, sink);
    const { input, signal } = running;
    if (input && spec.stdin !== undefined) feed(input, spec.stdin);
    bench.started({ input: cell.interactive ? input : null, signal });
    return running;
  });
  return {
    ...ending,
    usage: results.incomplete ? withHit(ending.usage, 'output') : ending.usage,
    results: results.bundles,
    error: running?.error() ?? null,
    stateLost: running?.died() ?? false,
    executionCount: ++context.cells,
  };
}

/** An unchanged program is not compiled again; it has no state that could be lost. */
async function runCompiled(
  bench: CellBench,
  spec: CellSpec,
  context: Context,
  { language, toolchain }: Choice,
): Promise<CellEnding> {
  const { programs, lease } = bench.session;
  const none = { results: [], error: null, stateLost: false, executionCount: ++context.cells };
  let output = await programs.find(language.name, spec.code);
  if (output === null) {
    const compiled = await compileCell(bench, spec.code, { language, toolchain });
    if (compiled.ending.outcome !== 'ok') {
      const ending = compileFailed(compiled.ending);
      const isError = ending.outcome === 'compile_error';
      return { ...none, ...ending, error: isError ? compileError(compiled.ending, ending.stderr) : null };
    }
    ({ output } = compiled);
    await programs.keep(language.name, spec.code, output);
  }
  const argv = toolchain.run(output, lease.grants);
  const { stdin, timeout } = spec;
  return { ...none, ...(await bench.runProgram({ argv, cwd: WORKSPACE, environment: {}, stdin, timeout })) };
}

async function compileCell(bench: CellBench, code: string, { language, toolchain }: Choice) {
  const { sandbox, env } = bench.session.lease;
  const file = `${CELL_DIRECTORY}/${language.fileName}`;
  const { compile } = toolchain;
  if (!compile) throw notSupported('language', `${language.name} keeps no state here`);
  await sandbox.files.write(file, Buffer.from(code, 'utf8'));
  try {
    const { sink: _, ...plan } = bench.supervision({ asked: undefined, byDefault: DEFAULT_COMPILE_SECONDS });
    return await compileProgram(plan, { compile, file, others: [], env });
  } finally {
    await sandbox.files.remove(CELL_DIRECTORY, { recursive: true }).catch(() => {});
  }
}

function compileError(stage: Ending, text: string) {
  // Go begins with the name of a package.
  const message = text.split('\n').find(line => line && !line.startsWith('#')) ?? '';
  const limit = stage.outcome === 'nonzero_exit' ? '' : `${stage.outcome} `;
  return { name: 'CompileError', message: `${limit}${message}`.trim(), traceback: text };
}

/** For a cell: the session's own language, or another that its sandbox can run. */
function toolchainOf({ lease }: Session, name: string | undefined): Choice {
  const language = name === undefined ? lease.language : languageOf(name).language;
  const type = lease.runtime.type;
  const own = language.runtimes[type];
  // A local sandbox carries every local interpreter, whichever runtime was picked.
  const other = Object.entries(language.runtimes).find(([runtime]) => runtime !== 'Docker')?.[1];
  const toolchain = own ?? (type === 'Docker' ? undefined : other);
  if (toolchain?.kernel || toolchain?.compile) return { language, toolchain };
  throw notSupported('language', `${language.name} can't run in a ${type} session`);
}

async function lowerMemory({ lease }: Session, limitMB: number | undefined): Promise<AsyncDisposable> {
  const { sandbox, limits } = lease;
  const bytes = (limitMB ?? 0) * 1024 * 1024;
  if (limitMB === undefined || bytes === limits.memoryBytes) return { async [Symbol.asyncDispose]() {} };
  if (bytes > limits.memoryBytes) {
    throw invalid('memoryLimit', `is above the session's ${limits.memoryBytes / 1024 / 1024} MB`);
  }
  if (!(await sandbox.limitMemory(bytes))) {
    throw new ServiceError('CONFLICT', `The session uses more than ${limitMB} MB already`, {
      field: 'memoryLimit',
    });
  }
  return { [Symbol.asyncDispose]: async () => void (await sandbox.limitMemory(limits.memoryBytes)) };
}
