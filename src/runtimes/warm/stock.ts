import { findLanguage } from '../../languages/index.ts';
import type { Toolchain } from '../../languages/language.ts';
import { WORKSPACE } from '../../sandbox.ts';
import type { Runtime, SandboxSpec } from '../runtime.ts';

/** What is kept warm: a sandbox of one runtime, with an interpreter of one kind in it where there is one. */
export interface Stock {
  /** Says what it is; two requests with the same name are served from the same shelf. */
  readonly name: string;
  /** A language that it is for. */
  readonly language: string;
  readonly purpose: SandboxSpec['purpose'];
  /** Null for a sandbox alone: what is compiled has nothing to start beforehand. */
  readonly interpreter: StockedInterpreter | null;
}

export type StockedInterpreter = {
  /** Starts it. */
  readonly argv: readonly string[];
  /** What it needs beside the usual environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** It can be forked from one that was started the same way. */
  readonly forks: boolean;
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

/** A warm interpreter has no permissions but the usual ones, and no variables of anybody's. */
const GRANTS = { permissions: undefined, variables: [] };

/** What could be waiting for such a request; null where nothing can. Pure. */
export function stockFor(type: Runtime['type'], { language: name, purpose }: SandboxSpec): Stock | null {
  const language = findLanguage(name)?.language;
  const toolchain = language?.runtimes[type];
  if (!language || !toolchain) return null;
  const interpreter = purpose === 'session' ? kernelOf(toolchain) : programOf(toolchain, language.fileName);
  const what = interpreter ? `${interpreter.kind} ${interpreter.argv.join(' ')}` : 'sandbox';
  return { name: `${language.dockerImage} ${what}`, language: name, purpose, interpreter };
}

function kernelOf({ kernel }: Toolchain): StockedInterpreter | null {
  if (!kernel) return null;
  const argv = kernel.argv(GRANTS);
  return {
    argv,
    environment: {},
    forks: kernel.forks ?? false,
    runs: argv,
    kind: 'kernel',
    warmUp: kernel.warmUp,
  };
}

function programOf({ parking, run }: Toolchain, fileName: string): StockedInterpreter | null {
  if (!parking) return null;
  const file = `${WORKSPACE}/${fileName}`;
  const { environment, forks = false, readsAtStart } = parking;
  return {
    argv: parking.argv(file),
    environment,
    forks,
    runs: run(file, GRANTS),
    kind: 'program',
    file,
    readsAtStart,
  };
}
