import { USER_HOME, WORKSPACE } from '../../sandbox.ts';
import { NO_PERMISSIONS, type Toolchain } from '../../toolchains/toolchain.ts';
import type { SandboxSpec } from '../runtime.ts';

/** An interpreter that waits in a pooled sandbox. */
export type PrewarmedInterpreter = {
  /** Command that starts it. */
  readonly argv: readonly string[];
  /** Variables in addition to the usual environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** It can be forked from a template. */
  readonly preforks: boolean;
  /** The command that it replaces; a program's may have further arguments. */
  readonly runs: readonly string[];
} & (
  | { readonly kind: 'kernel'; readonly warmUp: string }
  | {
      readonly kind: 'program';
      /** Path of the program; a file must exist there when the interpreter starts. */
      readonly file: string;
      readonly readsAtStart: RegExp | null;
      readonly keepsEnvironment: boolean;
    }
);

/** The interpreter that can wait for a spec; null for compiled languages, which have none. Pure. */
export function interpreterFor({ toolchain, language, purpose }: SandboxSpec): PrewarmedInterpreter | null {
  return purpose === 'session' ? kernelOf(toolchain) : programOf(toolchain, language.fileName);
}

/**
 * Key of the pool that serves a spec; null for a spec that can't be pooled: with an image, permissions, a
 * writable root, a network or layers. Limits are set when a sandbox is taken, except those that its runtime
 * can't change (`fixed`). Pure.
 */
export function poolKey(spec: SandboxSpec, fixed: readonly (keyof SandboxSpec['limits'])[]): string | null {
  const { request, egress, layers, language, limits } = spec;
  const { home = false, ...rest } = request;
  const special = Object.values(rest).some(asked => asked !== undefined) || egress || layers.length > 0;
  if (special) return null;
  const interpreter = interpreterFor(spec);
  const waits = interpreter ? [interpreter.kind, ...interpreter.argv] : ['sandbox'];
  return JSON.stringify([language.dockerImage, waits, fixed.map(limit => limits[limit]), home]);
}

/** Where interpreters of a sandbox start. */
export function startOf({ request: { home } }: Pick<SandboxSpec, 'request'>): string {
  return home ? USER_HOME : WORKSPACE;
}

function kernelOf({ kernel }: Toolchain): PrewarmedInterpreter | null {
  if (!kernel) return null;
  const argv = kernel.argv(NO_PERMISSIONS);
  const { warmUp, preforks = false } = kernel;
  return { argv, environment: {}, preforks, runs: argv, kind: 'kernel', warmUp };
}

function programOf({ prewarm, run }: Toolchain, fileName: string): PrewarmedInterpreter | null {
  if (!prewarm) return null;
  const file = `${WORKSPACE}/${fileName}`;
  const { preforks = false, keepsEnvironment = false } = prewarm;
  const runs = run(file, NO_PERMISSIONS);
  return { ...prewarm, argv: prewarm.argv(file), preforks, keepsEnvironment, runs, kind: 'program', file };
}
