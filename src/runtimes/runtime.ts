import type { Language } from '../languages/language.ts';
import type { Sandbox, SandboxLimits } from '../sandbox.ts';
import type { RuntimeType, SessionConfig } from '../schemas/session.ts';
import type { Toolchain } from '../toolchains/toolchain.ts';

/**
 * What makes sandboxes: how a program is walled, for any toolchain. A pool of a runtime is a runtime; so is a container
 * engine. This folder knows languages, toolchains and sandboxes and nothing of sessions; it promises that a sandbox it
 * hands out is isolated and limited, or none. `registry.ts` is the only registration.
 */
export interface Runtime extends AsyncDisposable {
  readonly type: RuntimeType;
  /** 1 (a bare process) to 10 (another machine). */
  readonly isolationLevel: number;
  readonly capabilities: RuntimeCapabilities;
  /** What runs a language where the client names nothing else; undefined where it can't. */
  toolchainFor(language: Language): Toolchain | undefined;
  /** What runs a cell of another language in a sandbox that was made for one of its own; undefined where nothing does. */
  guestToolchainFor(language: Language): Toolchain | undefined;
  /** What the last probe found. */
  readonly state: RuntimeState;
  /** The same for one language and what is asked for: a container engine may lack an image. */
  stateFor(language: Language, request?: RuntimeRequest): RuntimeState;
  /** Runs a sandbox of this runtime, here and now, and remembers what came of it. Never rejects. */
  probe(): Promise<RuntimeState>;
  /** Why it can't honour a request that its capabilities allow, naming the field; null if it can. */
  refuses(request: RuntimeRequest): string | null;
  /** @throws {ServiceError} RUNTIME_UNAVAILABLE when no sandbox can be made */
  create(spec: SandboxSpec): Promise<Sandbox>;
  /** Resolves when something has changed that makes another probe worth while. */
  readonly worthProbing?: Promise<void> | undefined;
  /** Looks after what it depends on from now on, for those that do; the others are probed again from outside. */
  watch?(): void;
  /** Ends whatever it holds; its disposal is the same. */
  close(): Promise<void>;
}

/** What not every runtime can do. A request that needs one that is false is refused with a reason. */
export interface RuntimeCapabilities {
  /** A waiting sandbox can be given another memory and disk. */
  readonly resize: boolean;
  /** Interpreters can be forked into a sandbox. */
  readonly prefork: boolean;
  /** Runs an image of the client's choice. */
  readonly image: boolean;
  /** Its toolchain holds programs to permissions of their own. */
  readonly permissions: boolean;
  /** A program may write to its root. */
  readonly writableRoot: boolean;
  readonly egress: boolean;
  readonly layers: boolean;
  readonly snapshot: boolean;
  readonly pty: boolean;
}

/** What a runtime without anything special can do. */
export const NO_CAPABILITIES: RuntimeCapabilities = {
  resize: false,
  prefork: false,
  image: false,
  permissions: false,
  writableRoot: false,
  egress: false,
  layers: false,
  snapshot: false,
  pty: false,
};

export type RuntimeState =
  | {
      readonly available: true;
      /** Read from the toolchain. */
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
      readonly cure: string | null;
      readonly version: string | null;
    };

/** Why a runtime is unavailable before its first probe has ended. */
export const STARTING = 'starting';

/** What a client may ask of a sandbox that not every runtime can give. Undefined: it did not ask. */
export interface RuntimeRequest {
  readonly dockerImage?: string;
  readonly permissions?: SessionConfig['permissions'];
  readonly readOnlyFilesystem?: boolean;
}

/** All that a sandbox is made from; a pool's key is a function of it. */
export interface SandboxSpec {
  /** What it is wanted for. */
  readonly language: Language;
  readonly toolchain: Toolchain;
  /** Whether cells will come, or one program. */
  readonly purpose: 'session' | 'program';
  readonly limits: SandboxLimits;
  readonly request: RuntimeRequest;
  /** Where its programs may connect to; null: nowhere. */
  readonly egress: null;
  /** Directories that it sees read-only beside what its runtime shows. */
  readonly layers: readonly never[];
}
