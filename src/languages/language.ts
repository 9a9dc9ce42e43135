import type { RuntimeType } from '../schemas/session.ts';

/**
 * A language is data: this folder holds one file per language and runs nothing. `index.ts` is the only registration.
 */
export interface Language {
  readonly name: string;
  readonly displayName: string;
  readonly aliases: readonly string[];
  /** Aliases that mean a runtime too, e.g. `bun`. */
  readonly runtimeAliases?: Readonly<Record<string, RuntimeType>>;
  readonly dockerImage: string | null;
  /** Where a one-shot's code is written, relative to /workspace. */
  readonly fileName: string;
  /** In the order that breaks ties of the selection. */
  readonly runtimes: Readonly<Partial<Record<RuntimeType, Toolchain>>>;
}

/** How one runtime runs a language. */
export interface Toolchain {
  /** Command that runs the file; the program's arguments are appended. */
  run(file: string): readonly string[];
  /** The kernel that keeps state between cells; null where there is none. */
  readonly kernel: KernelSpec | null;
}

export interface KernelSpec {
  /** Command that starts the kernel inside the sandbox; kernels lie under {@link KERNELS}. */
  readonly argv: readonly string[];
  /** SIGINT interrupts a running cell and keeps the state; otherwise only a kill does. */
  readonly interruptible: boolean;
}

/** Where every sandbox finds the agent and the kernels, read-only. */
export const KERNELS = '/usr/local/lib/codebeaker';
