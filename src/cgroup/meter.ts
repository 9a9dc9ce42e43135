import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import type { Measurement } from '../sandbox.ts';
import type { GroupDirectories } from './cgroup.ts';
import { fieldOf, numberIn, scaled } from './figures.ts';

/**
 * What a group's processes have used, read from files that stay open: a reading costs a few microseconds. After
 * `close` the last reading stands. A figure that this kernel can't give is null.
 */
export class Meter {
  readonly #version: 1 | 2;
  readonly #cpu: Gauge;
  readonly #peakMemory: Gauge;
  readonly #memoryEvents: Gauge;
  readonly #peakProcesses: Gauge;
  /** Forks that were refused, where they were tried: so under version 1, and version 2 before Linux 6.11. */
  readonly #processEvents: Gauge;
  /** Where the limit is, and not told apart by leaves: so under version 2 since. */
  readonly #limitEvents: Gauge | undefined;
  readonly #pids: string;
  /** Opened by the first who asks: of a sandbox of one program nobody does. */
  #processes: Gauge | undefined;
  #ownTasks = 0;
  /** No program has run yet. */
  #fresh: boolean;
  #memoryBefore = 0;
  #processesBefore = 0;
  #last: Measurement | undefined;
  #latest: Measurement | undefined;

  /** `used`: programs have run in this group before; `within`: the limited group that it is a leaf of. */
  constructor(
    { version, memory, pids, cpuacct }: GroupDirectories,
    { used = false, within }: { used?: boolean; within?: GroupDirectories } = {},
  ) {
    this.#version = version;
    this.#fresh = !used;
    const v1 = version === 1;
    this.#cpu = new Gauge(v1 ? `${cpuacct}/cpuacct.usage` : `${cpuacct}/cpu.stat`);
    this.#peakMemory = new Gauge(v1 ? `${memory}/memory.max_usage_in_bytes` : `${memory}/memory.peak`, true);
    this.#memoryEvents = new Gauge(v1 ? `${memory}/memory.oom_control` : `${memory}/memory.events`);
    this.#peakProcesses = new Gauge(`${pids}/pids.peak`);
    this.#processEvents = new Gauge(`${pids}/pids.events`);
    if (within && !v1) this.#limitEvents = new Gauge(`${within.pids}/pids.events`);
    this.#pids = pids;
  }

  /** So many are the sandbox's own machinery: they are not counted among the processes of programs. */
  discount(tasks: number): void {
    this.#ownTasks = tasks;
  }

  /** What runs now is. Returns how many that are. */
  discountRunning(): number {
    this.discount(this.#running());
    return this.#ownTasks;
  }

  /** Something runs in the group beside the sandbox's own machinery. */
  get runsPrograms(): boolean {
    return !this.#last && this.#running() > this.#ownTasks;
  }

  #running(): number {
    this.#processes ??= new Gauge(`${this.#pids}/pids.current`);
    return this.#processes.number() ?? 0;
  }

  /** That alone of what `read` tells. */
  get oomKills(): number {
    return this.#last?.oomKills ?? this.#memoryEvents.field('oom_kill') ?? 0;
  }

  /** What `read` tells without the peaks, which cost a reading each. */
  totals(): Measurement {
    if (this.#last) return this.#last;
    return {
      cpuMs:
        this.#version === 1 ? scaled(this.#cpu.number(), 1e-6) : scaled(this.#cpu.field('usage_usec'), 1e-3),
      peakMemoryBytes: null,
      peakProcesses: null,
      oomKills: this.oomKills,
      forksRefused: (this.#processEvents.field('max') ?? 0) + (this.#limitEvents?.field('max') ?? 0),
    };
  }

  read(): Measurement {
    if (this.#last) return this.#last;
    this.#latest = {
      ...this.totals(),
      peakMemoryBytes: above(this.#peakMemory.number(), this.#memoryBefore),
      peakProcesses: this.#peak(),
    };
    return this.#latest;
  }

  #peak(): number | null {
    const peak = above(this.#peakProcesses.number(), this.#processesBefore);
    return peak === null ? null : Math.max(0, peak - this.#ownTasks);
  }

  /** Starts both peaks anew. Where the kernel keeps one, only what rises above it is known from now on. */
  resetPeaks(): void {
    if (this.#last) return;
    this.#memoryBefore = this.#peakMemory.reset() || this.#fresh ? 0 : (this.#peakMemory.number() ?? 0);
    this.#processesBefore = this.#fresh ? 0 : (this.#peakProcesses.number() ?? 0);
    this.#fresh = false;
  }

  /** `measured` false: nobody asks for more than was read before. */
  close(measured = true): void {
    if (this.#last) return;
    this.#last = (!measured && this.#latest) || this.read();
    for (const gauge of [
      this.#cpu,
      this.#peakMemory,
      this.#memoryEvents,
      this.#peakProcesses,
      this.#processEvents,
      this.#processes,
      this.#limitEvents,
    ]) {
      gauge?.close();
    }
  }
}

const buffer = Buffer.alloc(4096);

/** One file of a group, kept open. */
class Gauge {
  #fd: number | null;

  constructor(path: string, writable = false) {
    this.#fd = open(path, writable ? 'r+' : 'r') ?? open(path, 'r');
  }

  number(): number | null {
    const length = this.#read();
    return length === null ? null : numberIn(buffer, length);
  }

  /** The number after a word at the start of a line. */
  field(name: string): number | null {
    const length = this.#read();
    return length === null ? null : fieldOf(buffer.toString('latin1', 0, length), name);
  }

  /** False on kernels that keep the peak of the group's whole life. */
  reset(): boolean {
    if (this.#fd === null) return false;
    try {
      return writeSync(this.#fd, '0', 0) > 0;
    } catch {
      return false;
    }
  }

  close(): void {
    if (this.#fd !== null) closeSync(this.#fd);
    this.#fd = null;
  }

  /** How many bytes of the buffer are its text; null where it can't be read. */
  #read(): number | null {
    if (this.#fd === null) return null;
    try {
      return readSync(this.#fd, buffer, 0, buffer.length, 0);
    } catch {
      return null;
    }
  }
}

function open(path: string, flags: string): number | null {
  try {
    return openSync(path, flags);
  } catch {
    return null;
  }
}

function above(value: number | null, floor: number): number | null {
  return value !== null && value > floor ? value : null;
}
