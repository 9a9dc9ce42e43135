import { readFileSync } from 'node:fs';
import type { SandboxUsage } from '../sandbox.ts';
import type { GroupDirectories } from './cgroup.ts';

/** What a group and its leaves use now. A figure that this kernel can't give, or of a group that is gone, is null. */
export function readUsage({ version, memory, cpuacct }: GroupDirectories): SandboxUsage {
  const v1 = version === 1;
  const memoryStat = read(`${memory}/memory.stat`);
  const cpu = read(v1 ? `${cpuacct}/cpuacct.usage` : `${cpuacct}/cpu.stat`);
  return {
    cpuMs: v1 ? scaled(number(cpu), 1e-6) : scaled(field(cpu, 'usage_usec'), 1e-3),
    memoryBytes: number(read(v1 ? `${memory}/memory.usage_in_bytes` : `${memory}/memory.current`)),
    // Its disk is in memory, and little else that is shared.
    fileBytes: field(memoryStat, v1 ? 'total_shmem' : 'shmem'),
  };
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'latin1').trim();
  } catch {
    return null;
  }
}

function number(text: string | null): number | null {
  return text === null || !/^\d+$/.test(text) ? null : Number(text);
}

function field(text: string | null, name: string): number | null {
  const line = text?.split('\n').find(each => each.startsWith(`${name} `));
  return line === undefined ? null : number(line.slice(name.length + 1));
}

function scaled(value: number | null, factor: number): number | null {
  return value === null ? null : value * factor;
}
