import type { RunResult } from '../../commands/command.ts';
import { type Sandbox, WORKSPACE } from '../../sandbox.ts';
import { CAUSE_IN_WORDS } from '../../schemas/outcome.ts';
import type { Toolchain } from '../../toolchains/toolchain.ts';
import { startProgram } from './program.ts';
import { type Supervision, supervise } from './supervise.ts';

export interface CompileStage {
  readonly compile: NonNullable<Toolchain['compile']>;
  /** Absolute path of the source. */
  readonly file: string;
  /** Of the files that came with it. */
  readonly others: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export interface Compiled {
  /** Path of what was compiled; of no use unless the outcome is ok. */
  readonly output: string;
  readonly runResult: RunResult;
}

/**
 * Compiles a program under limits of its own. What comes of it lies in /tmp under a name that nobody could know before,
 * so that nothing planted there stands in its place. What the compiler says is not the program's output, and is not
 * streamed. Rejects only if the compiler could not be started.
 */
export async function compileProgram(
  plan: Omit<Supervision, 'sink'> & { readonly sandbox: Sandbox },
  { compile, file, others, env }: CompileStage,
): Promise<Compiled> {
  const output = `/tmp/program-${crypto.randomUUID()}`;
  const runResult = await supervise(plan, sink =>
    startProgram(
      plan.sandbox,
      { argv: compile(file, output, others), cwd: WORKSPACE, env, stdin: 'none' },
      sink,
    ),
  );
  return { output, runResult };
}

/**
 * How a run ended that never began because its program does not compile. Whatever kept the compiler from its end, a
 * limit too, is a compile_error; the stage's own result says which. Only whoever cancels it hears so.
 */
export function compileFailed(stage: RunResult): RunResult {
  const cause = CAUSE_IN_WORDS[stage.outcome];
  // What a compiler that was ended can't say itself.
  const text = stage.stderr + stage.stdout + (cause ? `The compiler was ended: ${cause}\n` : '');
  const outcome =
    stage.outcome === 'cancelled' || stage.outcome === 'sandbox_lost' ? stage.outcome : 'compile_error';
  return {
    ...stage,
    outcome,
    stdout: '',
    stderr: text,
    stdoutBytes: 0,
    stderrBytes: Math.max(stage.stdoutBytes + stage.stderrBytes, Buffer.byteLength(text)),
    durationMs: 0,
  };
}
