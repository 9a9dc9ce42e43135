import type { SandboxLimits } from '../sandbox.ts';
import { LIMITS } from '../schemas/limits.ts';

const MB = 1024 * 1024;

/** Of a sandbox of which nothing else was asked. */
export const DEFAULT_LIMITS: SandboxLimits = limitsFor({ memoryMB: LIMITS.memoryMB, cpus: 1 });

/** The contract's limits of a sandbox with so much memory, half of which its files may take. */
export function limitsFor({ memoryMB, cpus }: { memoryMB: number; cpus: number }): SandboxLimits {
  const memoryBytes = memoryMB * MB;
  const { processes, openFiles, inodes } = LIMITS;
  return { memoryBytes, diskBytes: Math.floor(memoryBytes / 2), cpus, processes, openFiles, inodes };
}
