import type { RuntimeType } from '../schemas/session.ts';
import { bun } from './local/bun.ts';
import { Launchers } from './local/launchers.ts';
import { LocalRuntime } from './local/local-runtime.ts';
import { python } from './local/python.ts';
import type { Runtime } from './runtime.ts';

/** Local runtimes in the order that breaks ties of the selection. A line here registers one. */
const LOCAL = [bun, python];

/** Every runtime of this server; `close` ends whatever they hold. */
export interface Runtimes {
  readonly all: readonly Runtime[];
  close(): Promise<void>;
}

/** A machine may be cured while the server runs: what is unavailable is tried again this often. */
const PROBE_AGAIN_MS = 30_000;

/**
 * Makes the runtimes and probes them. `instance` names what this server leaves on the machine while it runs;
 * `runtimes` keeps those named.
 */
export async function createRuntimes(options: {
  instance: string;
  runtimes?: readonly RuntimeType[] | undefined;
}): Promise<Runtimes> {
  const launchers = new Launchers(options.instance);
  const wanted = LOCAL.filter(data => options.runtimes?.includes(data.type) ?? true);
  const all = wanted.map(data => new LocalRuntime(data, launchers));
  for (const runtime of all) await runtime.probe();
  const again = setInterval(() => {
    for (const runtime of all) if (!runtime.state.available) void runtime.probe();
  }, PROBE_AGAIN_MS).unref();
  return {
    all,
    close() {
      clearInterval(again);
      return launchers.close();
    },
  };
}
