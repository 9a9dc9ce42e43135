import { randomUUID } from 'node:crypto';
import { type Sandbox, SandboxLost, WORKSPACE } from '../../sandbox.ts';
import type { RuntimeType } from '../../schemas/session.ts';
import { noSandbox } from '../no-sandbox.ts';
import type { Runtime, RuntimeOptions, RuntimeState, SandboxSpec } from '../runtime.ts';
import { SURROUNDINGS } from '../surroundings.ts';
import { USUAL_LIMITS } from '../usual-limits.ts';
import { withoutPaths } from '../without-paths.ts';
import { cureFor } from './cures.ts';
import { LauncherUnable } from './launcher-client.ts';
import type { Launchers } from './launchers.ts';
import { LocalSandbox } from './local-sandbox.ts';

/** What tells one local runtime from another: data, a file each. */
export interface LocalRuntimeData {
  readonly type: RuntimeType;
  readonly languages: readonly string[];
  /** The interpreter, idle: it prints its version and its own /proc/self/smaps_rollup, and ends. */
  readonly probe: readonly string[];
  /** The command that brings the interpreter when the probe does not find it. */
  readonly cure: string;
  /** Variables that its programs need. */
  readonly environment?: Readonly<Record<string, string>>;
  /** It has permissions of its own, which a client may set. */
  readonly permissions?: boolean;
}

/** Same kernel, with namespaces, a seccomp filter, a control group and an unprivileged user in between. */
const ISOLATION_LEVEL = 7;
const MB = 1024 * 1024;
const PROBE_LIMITS = { ...USUAL_LIMITS, memoryBytes: 256 * MB };
const PROBE_MS = 20_000;

type Available = Extract<RuntimeState, { available: true }>;

/** Sandboxes of the launcher's on this machine, with one interpreter in mind. */
export class LocalRuntime implements Runtime {
  readonly type: RuntimeType;
  readonly languages: readonly string[];
  readonly isolationLevel = ISOLATION_LEVEL;
  readonly #data: LocalRuntimeData;
  readonly #launchers: Launchers;
  #state: RuntimeState = { available: false, reason: 'not probed yet', cure: null, version: null };

  constructor(data: LocalRuntimeData, launchers: Launchers) {
    this.type = data.type;
    this.languages = data.languages;
    this.#data = data;
    this.#launchers = launchers;
  }

  get state(): RuntimeState {
    return this.#state;
  }

  /** A sandbox carries every interpreter that it knows. */
  stateFor(): RuntimeState {
    return this.#state;
  }

  async probe(): Promise<RuntimeState> {
    try {
      // The first run reads the interpreter from disk; the faster of the others shows what a client will see.
      await this.#tryOut();
      this.#state = faster(await this.#tryOut(), await this.#tryOut());
    } catch (error) {
      this.#state = this.#unavailable(error);
    }
    return this.#state;
  }

  refuses(options: RuntimeOptions): string | null {
    if (options.dockerImage !== undefined) return 'dockerImage: only Docker runs images';
    if (options.permissions !== undefined) {
      if (!this.#data.permissions) return 'permissions: only Deno has permissions';
      const { allowNet = false } = options.permissions;
      if (allowNet === true || (Array.isArray(allowNet) && allowNet.length > 0))
        return 'permissions.allowNet: a network is not supported yet';
    }
    if (options.readOnlyFilesystem === false) {
      return 'config.readOnlyFilesystem: false is honoured on Docker only';
    }
    return null;
  }

  async create({ limits }: SandboxSpec): Promise<Sandbox> {
    try {
      return await this.#open(limits);
    } catch (error) {
      throw noSandbox(this.type, error);
    }
  }

  async #open(limits: SandboxSpec['limits']): Promise<Sandbox> {
    const launcher = await this.#launchers.get();
    const launched = await launcher.launch(randomUUID(), limits);
    return LocalSandbox.open(launched, launcher, { limits, environment: this.#data.environment });
  }

  async #tryOut(): Promise<Available> {
    const startedAt = performance.now();
    const sandbox = await this.#open(PROBE_LIMITS);
    const timer = setTimeout(() => void sandbox.close(), PROBE_MS);
    try {
      const { output, startupMs } = await this.#interpret(sandbox, startedAt);
      const version = output.split('\n')[0]?.trim() ?? '';
      const kilobytes = Number(/^Private_Dirty: +(\d+) kB$/m.exec(output)?.[1]);
      if (!/\d/.test(version) || !kilobytes) throw new Error(`the interpreter said: ${output.slice(0, 200)}`);
      return { available: true, version, startupMs, memoryMB: round(kilobytes / 1024) };
    } finally {
      clearTimeout(timer);
      await sandbox.close();
    }
  }

  async #interpret(sandbox: Sandbox, startedAt: number): Promise<{ output: string; startupMs: number }> {
    const spec = {
      argv: this.#data.probe,
      cwd: WORKSPACE,
      env: { ...SURROUNDINGS, ...sandbox.environment },
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

  #unavailable(error: unknown): RuntimeState {
    const message = withoutPaths(error);
    const inside = !(error instanceof LauncherUnable || error instanceof SandboxLost);
    const known = inside ? this.#data.cure : error instanceof LauncherUnable ? error.cure : null;
    return { available: false, reason: message, cure: known ?? cureFor(message), version: null };
  }
}

function faster(one: Available, other: Available): Available {
  return one.startupMs < other.startupMs ? one : other;
}

/** To a tenth. */
function round(value: number): number {
  return Math.round(value * 10) / 10;
}
