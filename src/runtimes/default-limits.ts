import type { SandboxLimits } from '../sandbox.ts';
import { LIMITS } from '../schemas/limits.ts';

const MB = 1024 * 1024;

/** Limits of a sandbox when the client asks for none. */
export const DEFAULT_LIMITS: SandboxLimits = limitsFor({ memoryMB: LIMITS.memoryMB, cpus: 1 });

/** Limits of a sandbox with this much memory. Its files may take half of it. */
export function limitsFor({ memoryMB, cpus }: { memoryMB: number; cpus: number }): SandboxLimits {
  const memoryBytes = memoryMB * MB;
  const { processes, openFiles, inodes } = LIMITS;
  return { memoryBytes, diskBytes: Math.floor(memoryBytes / 2), cpus, processes, openFiles, inodes };
}
