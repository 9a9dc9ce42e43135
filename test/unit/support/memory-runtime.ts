import { languages } from '../../../src/languages/index.ts';
import type { Language } from '../../../src/languages/language.ts';
import {
  NO_CAPABILITIES,
  type Runtime,
  type RuntimeCapabilities,
  type RuntimeState,
  type SandboxSpec,
} from '../../../src/runtimes/runtime.ts';
import type { Sandbox } from '../../../src/sandbox.ts';
import { cpython } from '../../../src/toolchains/cpython.ts';
import type { Toolchain } from '../../../src/toolchains/toolchain.ts';
import type { Script } from './memory-process.ts';
import { MemorySandbox } from './memory-sandbox.ts';

/** What a {@link MemoryRuntime} is made from; all of it may be left out. */
export interface MemoryRuntimeOptions {
  readonly type?: Runtime['type'];
  readonly isolationLevel?: number;
  readonly capabilities?: Partial<RuntimeCapabilities>;
  readonly toolchains?: readonly Toolchain[];
  readonly guests?: readonly Toolchain[];
  readonly state?: RuntimeState;
  /** What every program in its sandboxes does. */
  readonly script?: Script;
  readonly refuses?: Runtime['refuses'];
}

export const AVAILABLE: RuntimeState = { available: true, version: '1.0', startupMs: 10, memoryMB: 4 };

/** A runtime without processes: its sandboxes are objects, and what runs in them is a script. */
export class MemoryRuntime implements Runtime {
  readonly type: Runtime['type'];
  readonly isolationLevel: number;
  readonly capabilities: RuntimeCapabilities;
  readonly refuses: Runtime['refuses'];
  readonly sandboxes: MemorySandbox[] = [];
  /** What is done with each sandbox before it is handed out, e.g. to make its disk small. */
  prepare: (sandbox: MemorySandbox) => void = () => {};
  /** What sandboxes were asked for. */
  readonly specs: SandboxSpec[] = [];
  /** What the next sandboxes' programs do. */
  script: Script;
  state: RuntimeState;
  /** Awaited by every creation; a fault is one that rejects. */
  beforeCreate: () => Promise<void> = async () => {};
  closed = false;
  readonly #toolchains: readonly Toolchain[];
  readonly #guests: readonly Toolchain[];

  constructor(options: MemoryRuntimeOptions = {}) {
    this.type = options.type ?? 'Python';
    this.isolationLevel = options.isolationLevel ?? 7;
    this.capabilities = { ...NO_CAPABILITIES, resize: true, ...options.capabilities };
    this.#toolchains = options.toolchains ?? [cpython];
    this.#guests = options.guests ?? [];
    this.state = options.state ?? AVAILABLE;
    this.script = options.script ?? (() => ({ code: 0 }));
    this.refuses = options.refuses ?? (() => null);
  }

  toolchainFor(language: Language): Toolchain | undefined {
    return language.toolchains.find(toolchain => this.#toolchains.includes(toolchain));
  }

  guestToolchainFor(language: Language): Toolchain | undefined {
    return language.toolchains.find(toolchain => this.#guests.includes(toolchain));
  }

  stateFor(): RuntimeState {
    return this.state;
  }

  async identify(): Promise<string> {
    return this.type;
  }

  async probe(): Promise<RuntimeState> {
    return this.state;
  }

  async create(spec: SandboxSpec): Promise<Sandbox> {
    this.specs.push(spec);
    await this.beforeCreate();
    const { prefork: preforks } = this.capabilities;
    const sandbox = new MemorySandbox(spec, (...asked) => this.script(...asked), { preforks });
    this.prepare(sandbox);
    this.sandboxes.push(sandbox);
    return sandbox;
  }

  async close(): Promise<void> {
    this.closed = true;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** The sandbox made last. */
  get last(): MemorySandbox {
    const last = this.sandboxes.at(-1);
    if (!last) throw new Error('no sandbox has been made');
    return last;
  }

  /** Sandboxes that nobody has closed. */
  get open(): MemorySandbox[] {
    return this.sandboxes.filter(({ closed }) => !closed);
  }
}

/** A language by its name. */
export function languageNamed(name: string): Language {
  const found = languages.find(language => language.name === name);
  if (!found) throw new Error(`there is no ${name}`);
  return found;
}
