import type { Toolchain } from '../toolchains/toolchain.ts';

/**
 * What a client names: words for people, a file name and the toolchains that run it. Data, a file each, that runs nothing;
 * `index.ts` is the only registration. Imports: toolchains.
 */
export interface Language {
  readonly name: string;
  readonly displayName: string;
  readonly aliases: readonly string[];
  /** Aliases that mean one of its toolchains too, e.g. `bun`. */
  readonly toolchainAliases?: Readonly<Record<string, Toolchain>>;
  /** Aliases that mean a runtime where that can do what is asked, and else any of the language. */
  readonly runtimeAliases?: Readonly<Record<string, string>>;
  readonly dockerImage: string | null;
  /** Where a one-shot's code is written, relative to /workspace. */
  readonly fileName: string;
  /** In the order in which a runtime that has several picks one. */
  readonly toolchains: readonly Toolchain[];
}
