import { readFileSync } from 'node:fs';
import type { SandboxUsage } from '../sandbox.ts';
import type { GroupDirectories } from './cgroup.ts';
import { fieldOf, numberOf, scaled } from './figures.ts';

/** What a group and its leaves use now. A figure that this kernel can't give, or of a group that is gone, is null. */
export function readUsage({ version, memory, cpuacct }: GroupDirectories): SandboxUsage {
  const v1 = version === 1;
  const memoryStat = read(`${memory}/memory.stat`);
  const cpu = read(v1 ? `${cpuacct}/cpuacct.usage` : `${cpuacct}/cpu.stat`);
  return {
    cpuMs: v1 ? scaled(numberOf(cpu), 1e-6) : scaled(fieldOf(cpu, 'usage_usec'), 1e-3),
    memoryBytes: numberOf(read(v1 ? `${memory}/memory.usage_in_bytes` : `${memory}/memory.current`)),
    // Its disk is in memory, and little else that is shared.
    fileBytes: fieldOf(memoryStat, v1 ? 'total_shmem' : 'shmem'),
  };
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'latin1').trim();
  } catch {
    return null;
  }
}
