import type { RuntimeType } from '../schemas/session.ts';
import type { SandboxLibrary } from './library.ts';
import type { Launchers } from './local/launchers.ts';
import type { Runtime } from './runtime.ts';

/** Creates a runtime; a line of registry.ts. */
export interface RuntimeProvider {
  readonly type: RuntimeType;
  create(parts: RuntimeParts): Runtime;
}

/** What a provider creates a runtime from. */
export interface RuntimeParts {
  /** Unique name of this server, for its control groups, containers and volumes. */
  readonly instance: string;
  /** Directory for files that are built once and kept. */
  readonly dataDir: string;
  /** Patterns of image names that clients may use, `*` for any part. */
  readonly images: readonly string[];
  /** Directory of the layers that sandboxes see; null where packages are not installed. */
  readonly packages: string | null;
  /** Whether networks are opened in sandboxes at all. */
  readonly network: boolean;
  /** Whether local sandboxes are forked, where the machine allows it. */
  readonly fork: boolean;
  /** The files that every sandbox needs. */
  readonly library: SandboxLibrary;
  /** The launcher that local runtimes share; closed by its creator. */
  readonly launchers: Launchers;
}
