import type { ContainerCreateOptions, HostConfig } from 'dockerode';
import { agentArguments } from '../../agent/artifact.ts';
import { bandwidth } from '../../cgroup/cgroup.ts';
import { MASKED } from '../../launcher/masks.ts';
import { AGENT, NETWORK_SETTINGS } from '../../launcher/plan.ts';
import { RESOURCE_LIMITS } from '../../launcher/resource-limits.ts';
import { TERMINAL_OPTIONS } from '../../launcher/steps.ts';
import type { SandboxLimits } from '../../sandbox.ts';
import { containerProfile } from '../../seccomp/profile.ts';
import { FILTER } from '../library.ts';
import { DIRECT_PATH } from './connect-directly.ts';
import { type HostNames, OWN_NAME } from './host-names.ts';
import { LIBRARY, LIBRARY_LABEL, type Library, libraryMount } from './library-volume.ts';

/** User of containers on an engine that maps users, which may have no other. */
export const NOBODY = 65534;
/** CPUs during the start, at least: with less the engine's own work in the control group takes seconds. See DockerSandbox. */
export const START_CPUS = 0.25;
/** Extra processes that the engine and the agent need during the start. */
const START_TASKS = 16;
/**
 * The agent ends after this long without a frame from the service, milliseconds: a dead engine can't close
 * its stream.
 */
export const SILENCE_MS = 15_000;

/**
 * Shares of the disk, in sixteenths of its bytes and of its inodes. A container can't show one tmpfs in
 * several places, so each place has a fixed share.
 */
const DISKS = {
  '/workspace': { bytes: 10, inodes: 13 },
  '/tmp': { bytes: 4, inodes: 2 },
  '/home/sandbox': { bytes: 1, inodes: 1 },
} as const;
const SHARED_MEMORY = 1;
/** Those that an engine mounts by itself could use up all terminals of the machine. */
const TERMINALS = { type: 'devpts', device: 'devpts', o: `nosuid,noexec,${TERMINAL_OPTIONS}` };
/** Linux 6.1 has no net.core settings in the network of a user namespace, and an engine refuses unknown settings. */
const { 'net.core.somaxconn': _, ...SETTINGS_OF_MAPPED } = NETWORK_SETTINGS;

/** Labels of an instance's containers; the sweep reads them. */
export const LABEL = {
  instance: 'codebeaker.instance',
  session: 'codebeaker.session',
  created: 'codebeaker.created',
} as const;

export interface ContainerPlan {
  readonly id: string;
  readonly instance: string;
  /** Name of the engine's runtime; undefined for its default. */
  readonly engineRuntime?: string | undefined;
  /** Its identifier. */
  readonly image: string;
  /** Uid and gid of its processes. */
  readonly user: number;
  /** The volume with the agent in it. */
  readonly library: Library;
  /** Options of the mount that shows layers of packages; null where none are installed. */
  readonly layers: Readonly<Record<string, string>> | null;
  readonly limits: SandboxLimits;
  readonly hosts: HostNames;
  /** A relay listens in it, on ports of servers. */
  readonly network: boolean;
  /** Its language asks the C library how many CPUs there are, which would tell the machine's. */
  readonly countsCpus: boolean;
}

/** dockerode's types lack CgroupnsMode, which engines have since API 1.41. */
type Hardened = ContainerCreateOptions & {
  name: string;
  HostConfig: HostConfig & { CgroupnsMode: 'private' };
};

/** Options of a sandbox's container, hardened. Pure, except for the label with the time. */
export function containerOptions(plan: ContainerPlan): Hardened {
  const { id, instance, engineRuntime, image, user, library, layers, limits, hosts, network, countsCpus } =
    plan;
  const namedByEngine = hosts.fromEngine(image);
  return {
    name: `codebeaker-${instance}-${id}`,
    Image: image,
    // Overrides the image's: the agent is process 1 and needs nothing of the image.
    Entrypoint: [AGENT],
    Cmd: agentArguments({ silenceMs: SILENCE_MS, filter: `${LIBRARY}/${FILTER}`, direct: DIRECT_PATH }),
    User: `${user}:${user}`,
    WorkingDir: '/workspace',
    Hostname: 'sandbox',
    Labels: {
      [LABEL.instance]: instance,
      [LABEL.session]: id,
      [LABEL.created]: new Date().toISOString(),
      [LIBRARY_LABEL]: library.name,
    },
    // Standard input ends when the service's connection does.
    OpenStdin: true,
    StdinOnce: true,
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    // Without it the engine makes a network of no use, which takes it as long as all the rest, and a file of names.
    NetworkDisabled: !namedByEngine,
    Healthcheck: { Test: ['NONE'] },
    StopSignal: 'SIGKILL',
    HostConfig: {
      AutoRemove: true,
      ...(engineRuntime !== undefined && { Runtime: engineRuntime }),
      NetworkMode: 'none',
      ...(namedByEngine && { ExtraHosts: [OWN_NAME] }),
      // Without these, an engine that writes /etc/resolv.conf copies the machine's.
      Dns: ['127.0.0.1'],
      DnsSearch: ['.'],
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges', `seccomp=${profile()}`],
      // /sys describes the machine.
      // Without the other file the C library counts the CPUs that a process may use.
      MaskedPaths: [...MASKED, '/sys', ...(countsCpus ? ['/proc/stat'] : [])],
      IpcMode: 'private',
      CgroupnsMode: 'private',
      Memory: limits.memoryBytes,
      MemorySwap: limits.memoryBytes,
      // Not NanoCpus, which engines refuse above the machine's number of CPUs.
      ...cpuTime(Math.max(limits.cpus, START_CPUS)),
      PidsLimit: limits.processes + START_TASKS,
      Ulimits: [
        { Name: 'nofile', Soft: limits.openFiles, Hard: limits.openFiles },
        ...Object.entries(RESOURCE_LIMITS).map(([Name, value]) => ({ Name, Soft: value, Hard: value })),
      ],
      Sysctls: {
        ...(user === NOBODY ? SETTINGS_OF_MAPPED : NETWORK_SETTINGS),
        // The default of most engines.
        ...(network && { 'net.ipv4.ip_unprivileged_port_start': '0' }),
      },
      ShmSize: sixteenths(limits.diskBytes, SHARED_MEMORY),
      Tmpfs: Object.fromEntries(
        Object.entries(DISKS).map(([path, share]) => [path, tmpfsOptions(user, limits, share)]),
      ),
      Mounts: [
        mounted(LIBRARY, instance, libraryMount(library)),
        ...(layers ? [mounted('/packages', instance, layers)] : []),
        mounted('/dev/pts', instance, TERMINALS),
      ],
      // The default driver would write the agent's stream to the engine's disk.
      LogConfig: { Type: 'none', Config: {} },
    },
  };
}

/** A file system of the container's own, in an unnamed volume, which is removed with its container. */
function mounted(target: string, instance: string, options: Readonly<Record<string, string>>) {
  return {
    Type: 'volume' as const,
    Source: '',
    Target: target,
    VolumeOptions: {
      NoCopy: true,
      Labels: { [LABEL.instance]: instance },
      DriverConfig: { Name: 'local', Options: options },
    },
  };
}

let kept: string | undefined;

/** Computed once: it takes some milliseconds. */
function profile(): string {
  kept ??= containerProfile(process.arch === 'arm64' ? 'arm64' : 'x64');
  return kept;
}

/** CPU limit in the engine's terms. */
export function cpuTime(cpus: number): { CpuPeriod: number; CpuQuota: number } {
  const { quotaUs, periodUs } = bandwidth(cpus);
  return { CpuPeriod: periodUs, CpuQuota: quotaUs };
}

function sixteenths(whole: number, share: number): number {
  return Math.floor((whole * share) / 16);
}

function tmpfsOptions(user: number, limits: SandboxLimits, share: { bytes: number; inodes: number }): string {
  // The default is noexec, under which compiled programs can't run.
  const options = ['rw', 'exec', 'nosuid', 'nodev', `uid=${user}`, `gid=${user}`, 'mode=0755'];
  const [size, inodes] = [sixteenths(limits.diskBytes, share.bytes), sixteenths(limits.inodes, share.inodes)];
  return [...options, `size=${size}`, `nr_inodes=${inodes}`].join(',');
}
