import type { Call } from '../../src/service/call.ts';
import type { Sessions, SessionUsage } from '../../src/service/service.ts';
import { Refusal } from './refusals.ts';
import type { Sandbox } from './sandboxes.ts';

interface Reading {
  readonly cpuMs: number;
  /** By the clock that goes on only. */
  readonly at: number;
}

/** Nothing measures between two questions: each is answered by how it is now, if that is within the times that are asked for. */
export class SandboxMetrics {
  readonly #sessions: Sessions;
  /** The last of each, for what is used of the CPU from one to the next. */
  readonly #last = new WeakMap<Sandbox, Reading>();

  constructor(sessions: Sessions) {
    this.#sessions = sessions;
  }

  async between(sandbox: Sandbox, query: Readonly<Record<string, unknown>>, call: Call): Promise<object[]> {
    const [start, end] = [secondsIn(query, 'start'), secondsIn(query, 'end')];
    const usage = await this.#sessions.usage(sandbox.id, call);
    const timestampUnix = Math.floor(Date.now() / 1000);
    if (timestampUnix < (start ?? 0) || timestampUnix > (end ?? Number.POSITIVE_INFINITY) + 1) return [];
    return [
      {
        timestamp: new Date(timestampUnix * 1000).toISOString(),
        timestampUnix,
        cpuCount: Math.ceil(usage.cpus),
        cpuUsedPct: this.#usedPercent(sandbox, usage),
        memUsed: usage.memoryBytes ?? 0,
        memTotal: usage.memoryLimitBytes,
        memCache: usage.fileBytes ?? 0,
        diskUsed: usage.fileBytes ?? 0,
        diskTotal: usage.diskBytes,
      },
    ];
  }

  /** Of all its CPUs, since the last reading or its start. */
  #usedPercent(sandbox: Sandbox, { cpuMs, cpus }: SessionUsage): number {
    const now = { cpuMs: cpuMs ?? 0, at: performance.now() };
    const { cpuMs: before, at } = this.#last.get(sandbox) ?? { cpuMs: 0, at: sandbox.bornAt };
    this.#last.set(sandbox, now);
    const share = (now.cpuMs - before) / Math.max(1, (now.at - at) * cpus);
    return Math.round(Math.min(1, Math.max(0, share)) * 10_000) / 100;
  }
}

function secondsIn(query: Readonly<Record<string, unknown>>, name: string): number | null {
  const value = query[name];
  if (value === undefined) return null;
  const seconds = Number(value);
  if (!Number.isFinite(seconds)) throw new Refusal(400, `${name} must be seconds since 1970`);
  return seconds;
}
