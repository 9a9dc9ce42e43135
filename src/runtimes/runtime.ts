import type { Sandbox, SandboxLimits } from '../sandbox.ts';
import type { RuntimeType, SessionConfig } from '../schemas/session.ts';

/**
 * What makes sandboxes. A pool of a runtime is a runtime; so is a container engine. This folder knows languages and
 * sandboxes and nothing of sessions; it promises that a sandbox it hands out is isolated and limited, or none.
 */
export interface Runtime {
  readonly type: RuntimeType;
  /** 1 (a bare process) to 10 (another machine). */
  readonly isolationLevel: number;
  /** Names of the languages it can run. */
  readonly languages: readonly string[];
  /** What the last probe found. */
  readonly state: RuntimeState;
  /** The same for one of its languages and the options asked for: a container engine may lack an image. */
  stateFor(language: string, options?: RuntimeOptions): RuntimeState;
  /** Runs a sandbox of this runtime, here and now, and remembers what came of it. Never rejects. */
  probe(): Promise<RuntimeState>;
  /** Why it can't honour an option, naming the field; null if it can. */
  refuses(options: RuntimeOptions): string | null;
  /** @throws {ServiceError} RUNTIME_UNAVAILABLE when no sandbox can be made */
  create(spec: SandboxSpec): Promise<Sandbox>;
}

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

/** The options that not every runtime can honour. */
export interface RuntimeOptions {
  readonly dockerImage?: string;
  readonly permissions?: SessionConfig['permissions'];
  readonly readOnlyFilesystem?: boolean;
}

export interface SandboxSpec {
  /** Name of the language it is wanted for. */
  readonly language: string;
  /** Whether cells will come, or one program. */
  readonly purpose: 'session' | 'program';
  readonly limits: SandboxLimits;
  readonly options: RuntimeOptions;
}
