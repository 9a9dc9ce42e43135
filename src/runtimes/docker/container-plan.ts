import type { ContainerCreateOptions, HostConfig } from 'dockerode';
import { agentArguments } from '../../agent/artifact.ts';
import { bandwidth } from '../../cgroup/cgroup.ts';
import { MASKED } from '../../launcher/masks.ts';
import { AGENT, NETWORK_SETTINGS } from '../../launcher/plan.ts';
import { RESOURCE_LIMITS } from '../../launcher/resource-limits.ts';
import type { SandboxLimits } from '../../sandbox.ts';
import { containerProfile } from '../../seccomp/profile.ts';
import { LIBRARY, LIBRARY_LABEL, type Library, overlayOf } from './library-volume.ts';

/** Nobody: the user of every container where the engine maps users and may lack others. */
export const NOBODY = 65534;
/** The engine's own work in the container's control group takes seconds of less; see DockerSandbox. */
export const START_CPUS = 0.25;
/** What the engine and the agent need to come up, for a moment. */
const START_TASKS = 16;
/** The agent ends when the service has said nothing for so long: an engine that died can't tell it. */
export const SILENCE_MS = 15_000;

/**
 * Parts of the disk, in sixteenths of its bytes and of its inodes: a container can't show one tmpfs in several places, so each
 * place has a fixed share of it.
 */
const DISKS = {
  '/workspace': { bytes: 10, inodes: 13 },
  '/tmp': { bytes: 4, inodes: 2 },
  '/home/sandbox': { bytes: 1, inodes: 1 },
} as const;
const SHARED_MEMORY = 1;
/** Linux 6.1 has none of net.core in the network of a user namespace, and an engine starts nothing with a setting that there is not. */
const { 'net.core.somaxconn': _, ...SETTINGS_OF_MAPPED } = NETWORK_SETTINGS;

/** What tells one instance's containers from all others; read by the sweep. */
export const LABEL = {
  instance: 'codebeaker.instance',
  session: 'codebeaker.session',
  created: 'codebeaker.created',
} as const;

export interface ContainerPlan {
  readonly id: string;
  readonly instance: string;
  /** The engine's own runtime that runs it; undefined for its usual one. */
  readonly engineRuntime?: string | undefined;
  readonly image: string;
  /** Uid and gid of all that runs in it. */
  readonly user: number;
  /** The volume with the agent in it. */
  readonly library: Library;
  readonly limits: SandboxLimits;
  readonly readOnlyFilesystem: boolean;
}

/** Typed without the group's own namespace, which engines know since API 1.41. */
type Hardened = ContainerCreateOptions & {
  name: string;
  HostConfig: HostConfig & { CgroupnsMode: 'private' };
};

/** The container of a sandbox, hardened. Pure, but for the clock. */
export function containerOptions(plan: ContainerPlan): Hardened {
  const { id, instance, engineRuntime, image, user, library, limits, readOnlyFilesystem } = plan;
  return {
    name: `codebeaker-${instance}-${id}`,
    Image: image,
    // Whatever the image says: the agent is process 1, and needs nothing of the image.
    Entrypoint: [AGENT],
    Cmd: agentArguments({ silenceMs: SILENCE_MS }),
    User: `${user}:${user}`,
    WorkingDir: '/workspace',
    Hostname: 'sandbox',
    Labels: {
      [LABEL.instance]: instance,
      [LABEL.session]: id,
      [LABEL.created]: new Date().toISOString(),
      [LIBRARY_LABEL]: library.name,
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
      ...(engineRuntime !== undefined && { Runtime: engineRuntime }),
      NetworkMode: 'none',
      // An engine that lays out a resolver's file all the same takes the machine's.
      Dns: ['127.0.0.1'],
      DnsSearch: ['.'],
      ReadonlyRootfs: readOnlyFilesystem,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges', `seccomp=${profile()}`],
      // All of /sys tells about the machine.
      MaskedPaths: [...MASKED, '/sys'],
      IpcMode: 'private',
      CgroupnsMode: 'private',
      Memory: limits.memoryBytes,
      MemorySwap: limits.memoryBytes,
      // Not as a number of CPUs, of which an engine takes no more than there are.
      ...cpuTime(Math.max(limits.cpus, START_CPUS)),
      PidsLimit: limits.processes + START_TASKS,
      Ulimits: [
        { Name: 'nofile', Soft: limits.openFiles, Hard: limits.openFiles },
        ...Object.entries(RESOURCE_LIMITS).map(([Name, value]) => ({ Name, Soft: value, Hard: value })),
      ],
      Sysctls: user === NOBODY ? SETTINGS_OF_MAPPED : NETWORK_SETTINGS,
      ShmSize: sixteenths(limits.diskBytes, SHARED_MEMORY),
      Tmpfs: Object.fromEntries(
        Object.entries(DISKS).map(([path, share]) => [path, tmpfsOptions(user, limits, share)]),
      ),
      Mounts: [
        {
          // Without a name it goes with its container.
          Type: 'volume',
          Source: '',
          Target: LIBRARY,
          VolumeOptions: {
            NoCopy: true,
            Labels: { [LABEL.instance]: instance },
            DriverConfig: { Name: 'local', Options: overlayOf(library) },
          },
        },
      ],
      // The engine's own driver would write the agent's whole stream to its disk.
      LogConfig: { Type: 'none', Config: {} },
    },
  };
}

let kept: string | undefined;

/** Made once: it takes some milliseconds. */
function profile(): string {
  kept ??= containerProfile(process.arch === 'arm64' ? 'arm64' : 'x64');
  return kept;
}

/** CPU time as the engine is told of it. */
export function cpuTime(cpus: number): { CpuPeriod: number; CpuQuota: number } {
  const { quotaUs, periodUs } = bandwidth(cpus);
  return { CpuPeriod: periodUs, CpuQuota: quotaUs };
}

function sixteenths(whole: number, share: number): number {
  return Math.floor((whole * share) / 16);
}

function tmpfsOptions(user: number, limits: SandboxLimits, share: { bytes: number; inodes: number }): string {
  // By default a tmpfs here may hold no program: what is compiled could not run.
  const options = ['rw', 'exec', 'nosuid', 'nodev', `uid=${user}`, `gid=${user}`, 'mode=0755'];
  const [size, inodes] = [sixteenths(limits.diskBytes, share.bytes), sixteenths(limits.inodes, share.inodes)];
  return [...options, `size=${size}`, `nr_inodes=${inodes}`].join(',');
}
