import { readFileSync } from 'node:fs';
import type { SandboxLimits } from '../sandbox.ts';
import type { ShownLimits } from '../wire/messages.ts';
import type { CpuTurn } from './cpu-turns.ts';

/** The part of the memory that is shown as taken, which is about what an idle sandbox has. */
const TAKEN = 1 / 16;
const NO_TIMES = Array(10).fill(0).join(' ');

/** What programs see of their limits. Totals; what is free or idle stands still. */
export function shownLimits(
  { memoryBytes }: Pick<SandboxLimits, 'memoryBytes'>,
  { first, count }: CpuTurn,
): ShownLimits {
  const since = Math.floor(Date.now() / 1000);
  return { cpus: count, firstCpu: first, files: [meminfo(memoryBytes), stat(count, since), cpuinfo(count)] };
}

/** Most sandboxes are shown what the last one was. */
function kept<A extends readonly number[]>(make: (...of: A) => string): (...of: A) => string {
  let last: { readonly of: A; readonly text: string } | undefined;
  return (...of) => {
    if (!last?.of.every((value, i) => value === of[i])) last = { of, text: make(...of) };
    return last.text;
  };
}

const meminfo = kept(newMeminfo);
const stat = kept(newStat);
const cpuinfo = kept(newCpuinfo);

/** As proc_meminfo(5) has it. */
function newMeminfo(bytes: number): string {
  const total = Math.floor(bytes / 1024);
  const free = Math.floor(total * (1 - TAKEN));
  const figures = {
    ...{ MemTotal: total, MemFree: free, MemAvailable: free, Buffers: 0, Cached: 0, SwapCached: 0 },
    ...{ Active: total - free, Inactive: 0, SwapTotal: 0, SwapFree: 0, Dirty: 0, Writeback: 0 },
    ...{ AnonPages: total - free, Mapped: 0, Shmem: 0, Slab: 0, SReclaimable: 0, SUnreclaim: 0 },
    ...{ KernelStack: 0, PageTables: 0, CommitLimit: total, Committed_AS: total - free },
  };
  return Object.entries(figures)
    .map(([name, kB]) => `${`${name}:`.padEnd(16)}${String(kB).padStart(8)} kB\n`)
    .join('');
}

/** As proc_stat(5) has it: the C library counts the lines of CPUs. */
function newStat(cpus: number, since: number): string {
  const lines = Array.from({ length: cpus }, (_, i) => `cpu${i} ${NO_TIMES}`);
  const rest = ['intr 0', 'ctxt 0', `btime ${since}`, 'processes 1', 'procs_running 1', 'procs_blocked 0'];
  return [`cpu  ${NO_TIMES}`, ...lines, ...rest, ''].join('\n');
}

let processors: readonly string[] | undefined;

/** The machine's, as many as there are for it. */
function newCpuinfo(cpus: number): string {
  processors ??= readFileSync('/proc/cpuinfo', 'utf8')
    .split('\n\n')
    .filter(part => part.startsWith('processor'));
  return processors
    .slice(0, cpus)
    .map(part => `${part}\n\n`)
    .join('');
}
