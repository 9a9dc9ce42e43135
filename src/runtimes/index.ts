import { tmpdir } from 'node:os';
import type { RuntimeType } from '../schemas/session.ts';
import { SandboxLibrary } from './library.ts';
import { Launchers } from './local/launchers.ts';
import { type OnFailedStart, type OnSandbox, PooledRuntime } from './pool/pooled-runtime.ts';
import type { RuntimeParts, RuntimeProvider } from './provider.ts';
import { providers } from './registry.ts';
import type { Runtime } from './runtime.ts';

/** Every runtime of this server; closing it ends whatever they hold. */
export interface Runtimes extends AsyncDisposable {
  readonly all: readonly Runtime[];
  /** Resolves when each has been tried once. Never rejects. */
  readonly started: Promise<void>;
}

/** A machine may be cured while the server runs: what is unavailable is tried again this often. */
const PROBE_AGAIN_MS = 30_000;

/** Makes the runtimes and begins to probe them. `runtimes` keeps those named, `poolSize` undefined adapts. */
export function createRuntimes(
  options: Pick<RuntimeParts, 'instance'> &
    Partial<RuntimeParts> & {
      runtimes?: readonly RuntimeType[] | undefined;
      /** Sandboxes that wait for each kind of request; 0 for none. */
      poolSize?: number | undefined;
      /** What to make them from; the registry. */
      from?: readonly RuntimeProvider[];
      onSandbox?: OnSandbox;
      onFailedStart?: OnFailedStart;
    },
): Runtimes {
  const { instance, dataDir = tmpdir(), runtimes, images = [], poolSize = null, fork = true } = options;
  const library = new SandboxLibrary(dataDir);
  const launchers = new Launchers({ instance, fork, library });
  const parts = { instance, dataDir, images, fork, library, launchers };
  const all = (options.from ?? providers)
    .filter(({ type }) => runtimes?.includes(type) ?? true)
    .map(provider => new PooledRuntime(provider.create(parts), poolSize, options));
  const timer = setInterval(() => probeAgain(all), PROBE_AGAIN_MS).unref();
  for (const runtime of all) void runtime.worthProbing?.then(() => runtime.probe());
  return {
    all,
    started: start(all),
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await Promise.all(all.map(runtime => runtime.close()));
      await launchers.close();
    },
  };
}

async function start(all: readonly PooledRuntime[]): Promise<void> {
  // One after the other: what one measures must not slow the other down, nor must what is made to wait.
  for (const runtime of all) await runtime.probe();
  for (const runtime of all) runtime.fill();
  for (const runtime of all) runtime.watch();
}

function probeAgain(all: readonly PooledRuntime[]): void {
  for (const runtime of all) if (!runtime.watched && !runtime.state.available) void runtime.probe();
}
