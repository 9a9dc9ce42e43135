import type { ContainerCreateOptions } from 'dockerode';
import { ONE_THREAD } from '../../launcher/plan.ts';
import type { SandboxLimits } from '../../sandbox.ts';
import { containerProfile } from '../../seccomp/profile.ts';
import { LIBRARY, LOADER } from './library-volume.ts';

/** Nobody, in every image. */
const USER = '65534:65534';
/** What the engine hides by itself (moby, oci/defaults.go), and how the host was started. */
const MASKED = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/cmdline',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/sys/devices/system/cpu/cpu0/thermal_throttle',
  '/sys/devices/virtual/powercap',
  '/sys/firmware',
];
/** What the engine and the agent need to come up, for a moment. */
const START_TASKS = 16;
const CPU_UNIT = 1e9;
/** The agent ends when the service has said nothing for so long: an engine that died can't tell it. */
export const SILENCE_MS = 15_000;

/**
 * Parts of the disk, which is half of the memory: a container can't show one tmpfs in several places, so each place
 * has a fixed share of it, in thirty-seconds of the whole memory.
 */
const SHARES = { '/workspace': 10, '/tmp': 4, '/home/sandbox': 1, '/dev/shm': 1 } as const;

/** What tells one instance's containers from all others; read by the sweep. */
export const LABEL = {
  instance: 'codebeaker.instance',
  session: 'codebeaker.session',
  created: 'codebeaker.created',
} as const;

export interface ContainerPlan {
  readonly id: string;
  readonly instance: string;
  readonly image: string;
  /** Name of the volume with the agent in it. */
  readonly volume: string;
  readonly limits: SandboxLimits;
  readonly readOnlyFilesystem: boolean;
}

/** The container of a sandbox, hardened. Pure, but for the clock. */
export function containerOptions(plan: ContainerPlan): ContainerCreateOptions & { name: string } {
  const { id, instance, image, volume, limits, readOnlyFilesystem } = plan;
  return {
    name: `codebeaker-${instance}-${id}`,
    Image: image,
    // Whatever the image says: the agent is process 1, on the service's own loader and C library.
    Entrypoint: [`${LIBRARY}/${LOADER}`, '--library-path', `${LIBRARY}/lib`, `${LIBRARY}/bun`],
    Cmd: [`${LIBRARY}/agent.js`, '--silence', String(SILENCE_MS)],
    Env: Object.entries(ONE_THREAD).map(([name, value]) => `${name}=${value}`),
    User: USER,
    WorkingDir: '/workspace',
    Hostname: 'sandbox',
    Labels: {
      [LABEL.instance]: instance,
      [LABEL.session]: id,
      [LABEL.created]: new Date().toISOString(),
    },
    // The stream: it ends with whoever is attached.
    OpenStdin: true,
    StdinOnce: true,
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    NetworkDisabled: true,
    Healthcheck: { Test: ['NONE'] },
    StopSignal: 'SIGKILL',
    HostConfig: {
      AutoRemove: true,
      NetworkMode: 'none',
      ReadonlyRootfs: readOnlyFilesystem,
      CapDrop: ['ALL'],
      SecurityOpt: [
        'no-new-privileges',
        `seccomp=${containerProfile(process.arch === 'arm64' ? 'arm64' : 'x64')}`,
      ],
      MaskedPaths: MASKED,
      IpcMode: 'private',
      Memory: limits.memoryBytes,
      MemorySwap: limits.memoryBytes,
      NanoCpus: Math.round(limits.cpus * CPU_UNIT),
      PidsLimit: limits.processes + START_TASKS,
      Ulimits: [
        { Name: 'nofile', Soft: limits.openFiles, Hard: limits.openFiles },
        { Name: 'core', Soft: 0, Hard: 0 },
      ],
      ShmSize: part(limits, '/dev/shm'),
      Tmpfs: Object.fromEntries(
        Object.keys(SHARES)
          .filter(path => path !== '/dev/shm')
          .map(path => [path, tmpfsOptions(limits, path as keyof typeof SHARES)]),
      ),
      Mounts: [
        {
          Type: 'volume',
          Source: volume,
          Target: LIBRARY,
          ReadOnly: true,
          VolumeOptions: { NoCopy: true, Labels: {}, DriverConfig: { Name: '', Options: {} } },
        },
      ],
      // The engine's own driver would write the agent's whole stream to its disk.
      LogConfig: { Type: 'none', Config: {} },
    },
  };
}

const WHOLE = 32;

function part(limits: SandboxLimits, path: keyof typeof SHARES): number {
  return Math.floor((limits.memoryBytes * SHARES[path]) / WHOLE);
}

function tmpfsOptions(limits: SandboxLimits, path: keyof typeof SHARES): string {
  // By default a tmpfs here may hold no program: what is compiled could not run.
  const options = ['rw', 'exec', 'nosuid', 'nodev', 'uid=65534', 'gid=65534', 'mode=0755'];
  return [...options, `size=${part(limits, path)}`, `nr_inodes=${Math.floor(limits.inodes / 4)}`].join(',');
}
