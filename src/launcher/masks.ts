import { statSync } from 'node:fs';

/**
 * Paths hidden in every sandbox, containers too: Docker's own list (moby, oci/defaults.go), the host's boot
 * parameters, boot time, disks, interrupts one by one, a file whose reader blocks everybody who locks one, and those to which
 * anybody may write what the kernel then watches for him and charges to nobody (kernel documentation, accounting/psi).
 */
export const MASKED: readonly string[] = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/cmdline',
  '/proc/diskstats',
  '/proc/fs',
  '/proc/interrupts',
  '/proc/irq',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/locks',
  '/proc/partitions',
  '/proc/pressure',
  '/proc/sched_debug',
  '/proc/scsi',
  '/proc/sys/kernel/random/boot_id',
  '/proc/timer_list',
  '/proc/timer_stats',
];
const READ_BY_OTHERS = 0o004;

/** Empty ones, in the library of every sandbox: what is shown in the place of what is hidden. */
export const EMPTY = {
  file: '/usr/local/lib/codebeaker/empty/file',
  directory: '/usr/local/lib/codebeaker/empty/directory',
} as const;

export interface Mask {
  readonly path: string;
  /** The empty one that covers it. */
  readonly by: string;
}

/** Those that this kernel has and that a user without rights could read: each takes a mount in each sandbox. */
export function masks(): Mask[] {
  return MASKED.flatMap(path => {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (!stats || (stats.mode & READ_BY_OTHERS) === 0) return [];
    return [{ path, by: stats.isDirectory() ? EMPTY.directory : EMPTY.file }];
  });
}
