import { findLanguage } from '../../languages/index.ts';
import { WORKSPACE } from '../../sandbox.ts';
import type { Runtime, SandboxSpec } from '../runtime.ts';

/** What is kept warm: an interpreter of one kind, in a sandbox of one runtime. */
export type Stock = {
  /** Says what it is; two requests with the same name are served from the same shelf. */
  readonly name: string;
  /** A language that it is for. */
  readonly language: string;
  readonly purpose: SandboxSpec['purpose'];
  /** Starts it. */
  readonly argv: readonly string[];
  /** What it needs beside the usual environment. */
  readonly environment: Readonly<Record<string, string>>;
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
const GRANTS = { permissions: {}, variables: [] };

/** What could be waiting for such a request; null where nothing can. Pure. */
export function stockFor(type: Runtime['type'], { language: name, purpose }: SandboxSpec): Stock | null {
  const language = findLanguage(name)?.language;
  const toolchain = language?.runtimes[type];
  if (!language || !toolchain) return null;
  if (purpose === 'session') {
    const { kernel } = toolchain;
    if (!kernel) return null;
    const argv = kernel.argv(GRANTS);
    const { warmUp } = kernel;
    return {
      name: `kernel ${argv.join(' ')}`,
      language: name,
      purpose,
      argv,
      environment: {},
      runs: argv,
      kind: 'kernel',
      warmUp,
    };
  }
  const { parking } = toolchain;
  if (!parking) return null;
  const file = `${WORKSPACE}/${language.fileName}`;
  const argv = parking.argv(file);
  const { environment, readsAtStart } = parking;
  const runs = toolchain.run(file, GRANTS);
  return {
    name: `program ${argv.join(' ')}`,
    language: name,
    purpose,
    argv,
    environment,
    runs,
    kind: 'program',
    file,
    readsAtStart,
  };
}
