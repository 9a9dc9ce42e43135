import type { CallLog } from '../call-log.ts';
import type { Language } from '../languages/language.ts';
import type { Runtime } from '../runtimes/runtime.ts';
import type { Toolchain } from '../toolchains/toolchain.ts';
import type { Ecosystem } from './ecosystem.ts';
import type { Requirement } from './requirements.ts';

/** Where and for what a list is installed. */
export interface InstallRequest {
  readonly ecosystem: Ecosystem;
  readonly list: readonly Requirement[];
  /** Makes the sandbox that is installed in, of the same kind as those that will use it. */
  readonly runtime: Runtime;
  readonly language: Language;
  readonly toolchain: Toolchain;
  /** The image that the client names. */
  readonly dockerImage: string | undefined;
  /** Who waits for a turn. */
  readonly client: string;
  /**
   * Sources are built and scripts of packages run, as anybody's code is, for one key's clients: the layer is no other's. Null where
   * nothing of a package runs, and the layer is everybody's.
   */
  readonly build: { readonly owner: string | null } | null;
  readonly log: CallLog;
}
