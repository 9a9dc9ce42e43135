import type { RunResult } from '../../commands/command.ts';
import { type Sandbox, WORKSPACE } from '../../sandbox.ts';
import { CAUSE_IN_WORDS } from '../../schemas/outcome.ts';
import type { Toolchain } from '../../toolchains/toolchain.ts';
import { decodeOutput, encodeOutput } from './output-encoding.ts';
import { startProgram } from './program.ts';
import { type Supervision, supervise } from './supervise.ts';

export interface CompileStage {
  readonly compile: NonNullable<Toolchain['compile']>;
  /** Absolute path of the source. */
  readonly file: string;
  /** Paths of the other files of the request. */
  readonly others: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export interface Compiled {
  /** Path of the compiled program; valid only when the outcome is ok. */
  readonly output: string;
  readonly runResult: RunResult;
}

/**
 * Compiles a program under its own limits. The output path in /tmp is random, so that no earlier program can
 * plant a file there. The compiler's output is not streamed. Rejects only if the compiler could not be
 * started.
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
 * Result of a run whose program did not compile: the compiler's words, and what they mean. A limit that ended the compiler is a compile_error too; the
 * stage's own result says which. Cancelled and lost runs keep their outcome.
 */
export function compileFailed(stage: RunResult, { explain }: Pick<Toolchain, 'explain'>): RunResult {
  const cause = CAUSE_IN_WORDS[stage.outcome];
  // A compiler that was killed can't report why.
  const ended = Buffer.from(cause ? `The compiler was ended: ${cause}\n` : '');
  const words = Buffer.concat([decodeOutput(stage, 'stderr'), decodeOutput(stage, 'stdout'), ended]);
  const meaning = explain?.(words.toString());
  const message = meaning ? Buffer.concat([words, Buffer.from(`${meaning}\n`)]) : words;
  const outcome =
    stage.outcome === 'cancelled' || stage.outcome === 'sandbox_lost' ? stage.outcome : 'compile_error';
  return {
    ...stage,
    outcome,
    ...encodeOutput(Buffer.alloc(0), message, stage.stdoutEncoding),
    stdoutBytes: 0,
    stderrBytes: Math.max(stage.stdoutBytes + stage.stderrBytes, message.byteLength),
    durationMs: 0,
  };
}
