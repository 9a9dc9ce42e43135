import type { RuntimeType } from '../schemas/session.ts';
import type { SandboxLibrary } from './library.ts';
import type { Launchers } from './local/launchers.ts';
import type { Runtime } from './runtime.ts';

/** Creates a runtime; a line of registry.ts. */
export interface RuntimeProvider {
  readonly type: RuntimeType;
  create(parts: RuntimeParts): Runtime;
}

/** Layers of packages that sandboxes see; null in place of it where none are installed. */
export interface PackagesParts {
  /** Directory in which they lie. */
  readonly layers: string;
  /** What they may take together. */
  readonly maxBytes: number;
}

/** What a provider creates a runtime from. */
export interface RuntimeParts {
  /** Unique name of this server, for its control groups, containers and volumes. */
  readonly instance: string;
  /** Directory for files that are built once and kept. */
  readonly dataDir: string;
  /** Patterns of image names that clients may use, `*` for any part. */
  readonly images: readonly string[];
  readonly packages: PackagesParts | null;
  /** Whether networks are opened in sandboxes at all. */
  readonly network: boolean;
  /** Whether local sandboxes are forked, where the machine allows it. */
  readonly fork: boolean;
  /** The files that every sandbox needs. */
  readonly library: SandboxLibrary;
  /** The launcher that local runtimes share; closed by its creator. */
  readonly launchers: Launchers;
}
