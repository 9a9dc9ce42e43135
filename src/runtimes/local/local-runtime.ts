import { randomUUID } from 'node:crypto';
import type { Language } from '../../languages/language.ts';
import type { StartOptions } from '../../launcher/protocol.ts';
import { type Sandbox, SandboxLost, WORKSPACE } from '../../sandbox.ts';
import type { RuntimeType } from '../../schemas/session.ts';
import type { Toolchain } from '../../toolchains/toolchain.ts';
import { BASE_ENV } from '../base-env.ts';
import { limitsFor } from '../default-limits.ts';
import { NoSandbox } from '../no-sandbox.ts';
import {
  NO_CAPABILITIES,
  type Runtime,
  type RuntimeCapabilities,
  type RuntimeRequest,
  type RuntimeState,
  type SandboxSpec,
  STARTING,
} from '../runtime.ts';
import { withoutPaths } from '../without-paths.ts';
import { LauncherUnable } from './launcher-client.ts';
import type { Launchers } from './launchers.ts';
import { LocalSandbox } from './local-sandbox.ts';
import { asRoot, remedyFor } from './remedies.ts';

/** Same kernel, with namespaces, a seccomp filter, a control group and an unprivileged user in between. */
const ISOLATION_LEVEL = 7;
const PROBE_LIMITS = limitsFor({ memoryMB: 256, cpus: 1 });
const PROBE_MS = 20_000;
const PLAIN: StartOptions = { divided: false, home: false, network: null };

type Available = Extract<RuntimeState, { available: true }>;

/** Local sandboxes, for one toolchain. */
export class LocalRuntime implements Runtime {
  readonly type: RuntimeType;
  readonly isolationLevel = ISOLATION_LEVEL;
  readonly capabilities: RuntimeCapabilities;
  readonly #toolchain: Toolchain;
  readonly #guests: readonly Toolchain[];
  readonly #environment: Readonly<Record<string, string>> | undefined;
  readonly #launchers: Launchers;
  readonly worthProbing: Promise<void> | undefined;
  readonly #want: (() => LauncherUnable | null) | undefined;
  readonly #close: (() => Promise<void>) | undefined;
  #state: RuntimeState = { available: false, reason: STARTING, remedy: null, version: null };

  /** `guests`: toolchains in every local sandbox; `environment`: additional variables of its programs. */
  constructor(parts: {
    type: RuntimeType;
    toolchain: Toolchain;
    guests: readonly Toolchain[];
    environment?: Readonly<Record<string, string>> | undefined;
    launchers: Launchers;
    /** Its sandboxes see layers of packages. */
    layers: boolean;
    /** Networks are opened in its sandboxes. */
    network: boolean;
    worthProbing?: Promise<void>;
    /** Begins what its sandboxes wait for, if they do; returns what they wait for then. */
    want?: () => LauncherUnable | null;
    close?: () => Promise<void>;
  }) {
    this.type = parts.type;
    this.#toolchain = parts.toolchain;
    this.#guests = parts.guests;
    this.#environment = parts.environment;
    this.#launchers = parts.launchers;
    this.worthProbing = parts.worthProbing;
    this.#want = parts.want;
    this.#close = parts.close;
    const permissions = parts.toolchain.permissions ?? false;
    this.capabilities = {
      ...NO_CAPABILITIES,
      resize: true,
      prefork: true,
      pty: true,
      home: true,
      permissions,
      layers: parts.layers,
      egress: parts.network,
      addresses: parts.network,
    };
  }

  toolchainFor(language: Language): Toolchain | undefined {
    return language.toolchains.find(toolchain => toolchain === this.#toolchain);
  }

  guestToolchainFor(language: Language): Toolchain | undefined {
    return language.toolchains.find(toolchain => this.#guests.includes(toolchain));
  }

  get state(): RuntimeState {
    return this.#state;
  }

  /** The same for every language: a sandbox has all interpreters. */
  stateFor(): RuntimeState {
    return this.#state;
  }

  async identify(): Promise<string> {
    return `${this.#state.version}`;
  }

  async probe(): Promise<RuntimeState> {
    try {
      // The first run may read the interpreter from disk; the faster one shows what clients get.
      this.#state = faster(await this.#probeOnce(), await this.#probeOnce());
    } catch (error) {
      this.#state = this.#unavailable(error);
    }
    return this.#state;
  }

  want(): void {
    if (this.#state.available || !this.#want) return;
    const unable = this.#want();
    if (unable) this.#state = this.#unavailable(unable);
  }

  refuses({ permissions, network }: RuntimeRequest): string | null {
    const { allowNet = false } = permissions ?? {};
    const asksNetwork = allowNet === true || (Array.isArray(allowNet) && allowNet.length > 0);
    return asksNetwork && !network ? 'permissions.allowNet: the session has no network to narrow' : null;
  }

  /** Closes its own launcher; a shared one is closed by its creator. */
  async close(): Promise<void> {
    await this.#close?.();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async create({ limits, purpose, request, egress }: SandboxSpec): Promise<Sandbox> {
    try {
      return await this.#open(limits, {
        // What runs but one program at a time needs no leaves.
        divided: purpose === 'session',
        home: request.home === true,
        network: egress?.blocks ?? null,
      });
    } catch (error) {
      throw new NoSandbox(this.type, error);
    }
  }

  async #open(limits: SandboxSpec['limits'], options: StartOptions = PLAIN): Promise<Sandbox> {
    const launcher = await this.#launchers.get();
    const launched = await launcher.launch(randomUUID(), limits, options);
    return LocalSandbox.open(launched, launcher, {
      limits,
      environment: this.#environment,
      divided: options.divided,
    });
  }

  async #probeOnce(): Promise<Available> {
    const startedAt = performance.now();
    await using sandbox = await this.#open(PROBE_LIMITS);
    using _deadline = setTimeout(() => void sandbox.close(), PROBE_MS);
    const { output, startupMs } = await this.#interpret(sandbox, startedAt);
    const version = output.split('\n')[0]?.trim() ?? '';
    const kilobytes = Number(/^Private_Dirty: +(\d+) kB$/m.exec(output)?.[1]);
    if (!/\d/.test(version) || !kilobytes) throw new Error(`the interpreter said: ${output.slice(0, 200)}`);
    return { available: true, version, startupMs, memoryMB: round(kilobytes / 1024) };
  }

  async #interpret(sandbox: Sandbox, startedAt: number): Promise<{ output: string; startupMs: number }> {
    const spec = {
      argv: this.#toolchain.probe ?? this.#toolchain.version,
      cwd: WORKSPACE,
      env: { ...BASE_ENV, ...sandbox.environment },
      stdin: 'none',
    } as const;
    const process = await sandbox.spawn(spec);
    let output = '';
    let startupMs = 0;
    for await (const event of process.events) {
      if (event.type !== 'output') continue;
      startupMs ||= round(performance.now() - startedAt);
      output += Buffer.from(event.data).toString('utf8');
    }
    return { output, startupMs };
  }

  #remedy(): string | null {
    const { remedy } = this.#toolchain;
    if (!remedy) return null;
    return remedy.asRoot ? asRoot(remedy.command) : remedy.command;
  }

  #unavailable(error: unknown): RuntimeState {
    const message = withoutPaths(error);
    const inside = !(error instanceof LauncherUnable || error instanceof SandboxLost);
    const known = inside ? this.#remedy() : error instanceof LauncherUnable ? error.remedy : null;
    const coming = error instanceof LauncherUnable ? error.coming : undefined;
    return { available: false, reason: message, remedy: known ?? remedyFor(message), version: null, coming };
  }
}

function faster(one: Available, other: Available): Available {
  return one.startupMs < other.startupMs ? one : other;
}

/** Rounds to a tenth. */
function round(value: number): number {
  return Math.round(value * 10) / 10;
}
