import { tmpdir } from 'node:os';
import type { RuntimeType } from '../schemas/session.ts';
import { SandboxLibrary } from './library.ts';
import { Launchers } from './local/launchers.ts';
import { type OnFailedStart, type OnSandbox, PooledRuntime } from './pool/pooled-runtime.ts';
import type { RuntimeParts, RuntimeProvider } from './provider.ts';
import { providers } from './registry.ts';
import type { Runtime } from './runtime.ts';

/** The runtimes of this server; disposing of it closes them all. */
export interface Runtimes extends AsyncDisposable {
  readonly all: readonly Runtime[];
  /** Resolves when each has been probed once. Never rejects. */
  readonly started: Promise<void>;
  /** Resolves when the first sandboxes wait in the pools as well, or could not be made. Never rejects. */
  readonly warm: Promise<void>;
}

/** Interval at which unavailable runtimes are probed again, milliseconds: the machine may have been fixed. */
const PROBE_AGAIN_MS = 30_000;

/**
 * Creates the runtimes and starts probing them. `runtimes` selects by name; without `poolSize` pools adapt
 * their size.
 */
export function createRuntimes(
  options: Pick<RuntimeParts, 'instance'> &
    Partial<RuntimeParts> & {
      runtimes?: readonly RuntimeType[] | undefined;
      /** What programs with a network are to trust, in PEM; null or left out where none has one. */
      certificates?: string | null;
      /** Sandboxes that wait for each kind of request; 0 for none. */
      poolSize?: number | undefined;
      /** Providers; default: the registry. */
      from?: readonly RuntimeProvider[];
      onSandbox?: OnSandbox;
      onFailedStart?: OnFailedStart;
    },
): Runtimes {
  const { instance, dataDir = tmpdir(), runtimes, images = [], poolSize = null, fork = true } = options;
  const { packages = null, certificates = null } = options;
  const network = certificates !== null;
  const library = new SandboxLibrary(dataDir, certificates);
  const launchers = new Launchers({ instance, fork, library, packages: packages?.layers ?? null });
  const parts = { instance, dataDir, images, packages, network, fork, library, launchers };
  const all = (options.from ?? providers)
    .filter(({ type }) => runtimes?.includes(type) ?? true)
    .map(provider => new PooledRuntime(provider.create(parts), poolSize, options));
  const timer = setInterval(() => probeAgain(all), PROBE_AGAIN_MS).unref();
  for (const runtime of all) void runtime.worthProbing?.then(() => runtime.probe());
  const started = start(all);
  return {
    all,
    started,
    warm: started.then(() => warm(all)),
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await Promise.all(all.map(runtime => runtime.close()));
      await launchers.close();
    },
  };
}

async function start(all: readonly PooledRuntime[]): Promise<void> {
  // One after the other, so that neither probes nor pools disturb a measurement.
  for (const runtime of all) await runtime.probe();
  for (const runtime of all) runtime.fill();
  for (const runtime of all) runtime.watch();
}

async function warm(all: readonly PooledRuntime[]): Promise<void> {
  await Promise.all(all.map(runtime => runtime.warm));
}

function probeAgain(all: readonly PooledRuntime[]): void {
  for (const runtime of all) if (!runtime.watched && !runtime.state.available) void runtime.probe();
}
