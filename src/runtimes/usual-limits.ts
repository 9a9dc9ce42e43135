import type { SandboxLimits } from '../sandbox.ts';

const MB = 1024 * 1024;

/** The contract's limits of every sandbox; a request may ask for other memory and another share of the CPU. */
export const USUAL_LIMITS: SandboxLimits = {
  memoryBytes: 512 * MB,
  cpus: 1,
  processes: 128,
  openFiles: 1024,
  inodes: 65_536,
};
