import { tmpdir } from 'node:os';
import type { RuntimeType } from '../schemas/session.ts';
import { DockerRuntime } from './docker/docker-runtime.ts';
import { bun } from './local/bun.ts';
import { deno } from './local/deno.ts';
import { GoTrees, go } from './local/go.ts';
import { Launchers } from './local/launchers.ts';
import { LocalRuntime } from './local/local-runtime.ts';
import { nodejs } from './local/nodejs.ts';
import { python } from './local/python.ts';
import { findToolchain } from './local/toolchain.ts';
import type { Runtime } from './runtime.ts';
import { WarmRuntime } from './warm/warm-runtime.ts';

/** Local runtimes in the order that breaks ties of the selection. A line here registers one. */
const LOCAL = [bun, deno, nodejs, python, go];

/** Every runtime of this server; `close` ends whatever they hold. */
export interface Runtimes {
  readonly all: readonly Runtime[];
  close(): Promise<void>;
}

/** A machine may be cured while the server runs: what is unavailable is tried again this often. */
const PROBE_AGAIN_MS = 30_000;

/**
 * Makes the runtimes and probes them. `instance` names what this server leaves on the machine while it runs;
 * `runtimes` keeps those named; a container engine comes last.
 */
export async function createRuntimes(options: {
  instance: string;
  /** Keeps what is made once for a machine. */
  dataDir?: string | undefined;
  runtimes?: readonly RuntimeType[] | undefined;
  /** Names of the images that may be used, `*` for any part. */
  images?: readonly string[] | undefined;
  /** Sandboxes that wait for each kind of request; 0 for none, undefined adapts. */
  poolSize?: number | undefined;
  /** Local sandboxes are forked, where this machine can do that. */
  fork?: boolean;
}): Promise<Runtimes> {
  const { instance, dataDir = tmpdir(), runtimes, images = [], poolSize = null, fork = true } = options;
  const wanted = (type: RuntimeType) => runtimes?.includes(type) ?? true;
  const warm = (runtime: Runtime) => new WarmRuntime(runtime, poolSize);
  const launchers = new Launchers({ instance, fork });
  // Its sandboxes are there later than the others', so they have a launcher of their own.
  const goTrees = new GoTrees(dataDir);
  const goLaunchers = new Launchers({ instance: `${instance}-go`, fork }, () => goTrees.get());
  const local = LOCAL.filter(({ type }) => wanted(type)).map(data =>
    warm(new LocalRuntime(data, data === go ? goLaunchers : launchers)),
  );
  const agent = findToolchain()?.bun ?? null;
  const engine = wanted('Docker') ? new DockerRuntime({ instance, allowed: images, bun: agent }) : null;
  const containers = engine ? [warm(engine)] : [];
  // One after the other: what one measures must not slow the other down, nor must what is made to wait.
  for (const runtime of [...local, ...containers]) await runtime.probe();
  for (const runtime of [...local, ...containers]) runtime.stock();
  engine?.keepLooking();
  const again = setInterval(() => {
    for (const runtime of local) if (!runtime.state.available) void runtime.probe();
  }, PROBE_AGAIN_MS).unref();
  void goTrees.compiled.then(() => local.find(({ type }) => type === go.type)?.probe());
  const all = [...local, ...containers];
  return {
    all,
    async close() {
      clearInterval(again);
      goTrees.close();
      await Promise.all(all.map(runtime => runtime.close()));
      await Promise.all([launchers.close(), goLaunchers.close(), engine?.close()]);
    },
  };
}
