import { WORKSPACE } from '../../sandbox.ts';
import { NO_PERMISSIONS, type Toolchain } from '../../toolchains/toolchain.ts';
import type { SandboxSpec } from '../runtime.ts';

/** The interpreter that waits in a pooled sandbox. */
export type PrewarmedInterpreter = {
  /** Starts it. */
  readonly argv: readonly string[];
  /** What it needs beside the usual environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** It can be forked from one that was started the same way. */
  readonly preforks: boolean;
  /** The command that it stands for; a program's may go on with arguments. */
  readonly runs: readonly string[];
} & (
  | { readonly kind: 'kernel'; readonly warmUp: string }
  | {
      readonly kind: 'program';
      /** Where the program will lie; something must be there when the interpreter starts. */
      readonly file: string;
      readonly readsAtStart: RegExp | null;
    }
);

/** What could be waiting for a spec; null for a sandbox alone: what is compiled has nothing to start beforehand. Pure. */
export function interpreterFor({ toolchain, language, purpose }: SandboxSpec): PrewarmedInterpreter | null {
  return purpose === 'session' ? kernelOf(toolchain) : programOf(toolchain, language.fileName);
}

/**
 * Specs with the same key are served from the same pool; null for one that nothing can wait for: an image, permissions,
 * a writable root, a network or layers of somebody's. Limits are set when a sandbox is taken, but for those that its
 * runtime can't change (`fixed`). Pure.
 */
export function poolKey(spec: SandboxSpec, fixed: readonly (keyof SandboxSpec['limits'])[]): string | null {
  const { request, egress, layers, language, limits } = spec;
  const special = Object.values(request).some(asked => asked !== undefined) || egress || layers.length > 0;
  if (special) return null;
  const interpreter = interpreterFor(spec);
  const waits = interpreter ? [interpreter.kind, ...interpreter.argv] : ['sandbox'];
  return JSON.stringify([language.dockerImage, waits, fixed.map(limit => limits[limit])]);
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
  const { environment, preforks = false, readsAtStart } = prewarm;
  const runs = run(file, NO_PERMISSIONS);
  return { argv: prewarm.argv(file), environment, preforks, runs, kind: 'program', file, readsAtStart };
}
