import type { Language } from '../languages/language.ts';
import type { Sandbox, SandboxLimits } from '../sandbox.ts';
import type { RuntimeType, SessionConfig } from '../schemas/session.ts';
import type { Toolchain } from '../toolchains/toolchain.ts';

/**
 * A runtime creates sandboxes: how a program is isolated, for any toolchain. Pools are decorators that
 * implement the same interface. This folder knows languages, toolchains and sandboxes, and no sessions. It
 * promises that a sandbox it hands out is isolated and limited; otherwise it hands out none. `registry.ts` is
 * the only registration.
 */
export interface Runtime extends AsyncDisposable {
  readonly type: RuntimeType;
  /** 1 (a bare process) to 10 (another machine). */
  readonly isolationLevel: number;
  readonly capabilities: RuntimeCapabilities;
  /** The toolchain for a language; undefined when the runtime has none. */
  toolchainFor(language: Language): Toolchain | undefined;
  /** The toolchain for a cell of another language in an existing sandbox; undefined when there is none. */
  guestToolchainFor(language: Language): Toolchain | undefined;
  /** Result of the last probe. */
  readonly state: RuntimeState;
  /** The state for one language and request: a container engine may lack an image. */
  stateFor(language: Language, request?: RuntimeRequest): RuntimeState;
  /** Differs where what is installed for a language would not run: by its version, or the image. @throws {Error} */
  identify(language: Language, request: RuntimeRequest): Promise<string>;
  /** Runs a sandbox of this runtime and stores the result as `state`. Never rejects. */
  probe(): Promise<RuntimeState>;
  /** Why it refuses a request that its capabilities allow, beginning with the field; null if it accepts. */
  refuses(request: RuntimeRequest): string | null;
  /** @throws {ServiceError} RUNTIME_UNAVAILABLE when no sandbox can be made */
  create(spec: SandboxSpec): Promise<Sandbox>;
  /** Resolves when another probe may have a different result. */
  readonly worthProbing?: Promise<void> | undefined;
  /** Called when somebody asks for a program of its languages, for a runtime whose preparation waits for that. */
  want?(): void;
  /** Starts watching its dependencies. Runtimes without this method are probed periodically. */
  watch?(): void;
  /** Closes all its sandboxes, as disposing of it does. */
  close(): Promise<void>;
}

/** Optional abilities of a runtime. A request that needs a missing one is refused with a reason. */
export interface RuntimeCapabilities {
  /** A waiting sandbox's memory and disk can be changed. */
  readonly resize: boolean;
  /** Interpreters can be forked into a sandbox. */
  readonly prefork: boolean;
  /** Runs an image that the client names. */
  readonly image: boolean;
  /** Its toolchain enforces `permissions`. */
  readonly permissions: boolean;
  /** A program may write to its root. */
  readonly writableRoot: boolean;
  /** A network can be opened in its sandboxes. */
  readonly egress: boolean;
  /** In it programs can connect to addresses, not to names alone. */
  readonly addresses: boolean;
  readonly layers: boolean;
  readonly snapshot: boolean;
  readonly pty: boolean;
  /** A sandbox can show its files at USER_HOME too. */
  readonly home: boolean;
}

/** No optional abilities. */
export const NO_CAPABILITIES: RuntimeCapabilities = {
  resize: false,
  prefork: false,
  image: false,
  permissions: false,
  writableRoot: false,
  egress: false,
  addresses: false,
  layers: false,
  snapshot: false,
  pty: false,
  home: false,
};

export type RuntimeState =
  | {
      readonly available: true;
      /** Version of the toolchain. */
      readonly version: string;
      /** From the request for a sandbox to the first output of its interpreter, milliseconds. */
      readonly startupMs: number;
      /** Private memory of an idle interpreter. */
      readonly memoryMB: number;
    }
  | {
      readonly available: false;
      /** One sentence. */
      readonly reason: string;
      /** The exact command that makes it available, where there is one. */
      readonly remedy: string | null;
      readonly version: string | null;
      /** Version of the toolchain that will be there within minutes, if nobody does anything. */
      readonly coming?: string | undefined;
    };

/** Why a runtime is unavailable before its first probe has ended. */
export const STARTING = 'starting';

/** Optional requests of a client. Undefined: not requested. */
export interface RuntimeRequest {
  readonly dockerImage?: string;
  readonly permissions?: SessionConfig['permissions'];
  readonly readOnlyFilesystem?: boolean;
  /** Its sandboxes are to show layers, which those of a runtime do or don't, however they are made. */
  readonly packages?: true;
  /** Its files are to be seen at USER_HOME too. */
  readonly home?: true;
  /** Its programs may connect somewhere; `addresses`: also without a name. */
  readonly network?: 'names' | 'addresses';
}

export interface Egress {
  /** Blocks of addresses, as ADDRESS/PREFIX, that programs connect to without a name. */
  readonly blocks: readonly string[];
}

/** Everything that determines a sandbox; a pool's key is a function of it. */
export interface SandboxSpec {
  /** The language it is created for. */
  readonly language: Language;
  readonly toolchain: Toolchain;
  /** Runs cells, or one program. */
  readonly purpose: 'session' | 'program';
  readonly limits: SandboxLimits;
  readonly request: RuntimeRequest;
  /** A network can be opened in it (src/network); null: none can. */
  readonly egress: Egress | null;
  /** Additional read-only directories. */
  readonly layers: readonly never[];
}
