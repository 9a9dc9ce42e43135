import type { RuntimeType } from '../schemas/session.ts';
import type { SandboxLibrary } from './library.ts';
import type { Launchers } from './local/launchers.ts';
import type { Runtime } from './runtime.ts';

/** Makes one runtime; a line of registry.ts. */
export interface RuntimeProvider {
  readonly type: RuntimeType;
  create(parts: RuntimeParts): Runtime;
}

/** What runtimes are made from. */
export interface RuntimeParts {
  /** Names what this server leaves on the machine while it runs. */
  readonly instance: string;
  /** Keeps what is made once for a machine. */
  readonly dataDir: string;
  /** Names of the images that may be used, `*` for any part. */
  readonly images: readonly string[];
  /** Local sandboxes are forked, where this machine can do that. */
  readonly fork: boolean;
  /** What every sandbox has in it of ours. */
  readonly library: SandboxLibrary;
  /** The launcher that local runtimes share; closed by whoever made it. */
  readonly launchers: Launchers;
}
