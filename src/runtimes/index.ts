import type { RuntimeType } from '../schemas/session.ts';
import { DockerRuntime } from './docker/docker-runtime.ts';
import { bun as bunData } from './local/bun.ts';
import { Launchers } from './local/launchers.ts';
import { LocalRuntime } from './local/local-runtime.ts';
import { python } from './local/python.ts';
import { findToolchain } from './local/toolchain.ts';
import type { Runtime } from './runtime.ts';

/** Local runtimes in the order that breaks ties of the selection. A line here registers one. */
const LOCAL = [bunData, python];

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
  runtimes?: readonly RuntimeType[] | undefined;
  /** Names of the images that may be used, `*` for any part. */
  images?: readonly string[] | undefined;
}): Promise<Runtimes> {
  const launchers = new Launchers(options.instance);
  const wanted = LOCAL.filter(data => options.runtimes?.includes(data.type) ?? true);
  const local = wanted.map(data => new LocalRuntime(data, launchers));
  const bun = findToolchain()?.bun ?? null;
  const docker =
    (options.runtimes?.includes('Docker') ?? true)
      ? new DockerRuntime({ instance: options.instance, allowed: options.images ?? [], bun })
      : null;
  const all = docker ? [...local, docker] : local;
  await Promise.all([inOrder(local), docker?.probe()]);
  docker?.keepLooking();
  const again = setInterval(() => {
    for (const runtime of local) if (!runtime.state.available) void runtime.probe();
  }, PROBE_AGAIN_MS).unref();
  return {
    all,
    async close() {
      clearInterval(again);
      await Promise.all([launchers.close(), docker?.close()]);
    },
  };
}

/** One after the other: what one measures must not slow the other down. */
async function inOrder(runtimes: readonly Runtime[]): Promise<void> {
  for (const runtime of runtimes) await runtime.probe();
}
