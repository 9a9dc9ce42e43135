import { expect, test } from 'vitest';
import { containerOptions } from '../../../src/runtimes/docker/container-plan.ts';
import { overlayOf } from '../../../src/runtimes/docker/filled-volume.ts';
import { HostNames } from '../../../src/runtimes/docker/host-names.ts';

const MB = 1024 * 1024;
const plan = {
  id: 'one',
  instance: 'mine',
  image: 'codebeaker-python:latest',
  user: 1_879_052_288,
  library: { name: 'library', mountpoint: '/engine/library' },
  limits: {
    memoryBytes: 512 * MB,
    diskBytes: 256 * MB,
    cpus: 0.5,
    processes: 128,
    openFiles: 1024,
    inodes: 65_536,
  },
  layers: null,
  hosts: new HostNames(),
  network: false,
  countsCpus: false,
};
const { HostConfig, ...options } = containerOptions(plan);

test('a container has no network, no privilege, no user of the host and no swap', () => {
  expect(options).toMatchObject({ NetworkDisabled: true, User: '1879052288:1879052288' });
  expect(HostConfig).toMatchObject({
    NetworkMode: 'none',
    Dns: ['127.0.0.1'],
    DnsSearch: ['.'],
    ReadonlyRootfs: true,
    CapDrop: ['ALL'],
    IpcMode: 'private',
    AutoRemove: true,
    LogConfig: { Type: 'none' },
    Memory: 512 * MB,
    MemorySwap: 512 * MB,
    CpuPeriod: 100_000,
    CpuQuota: 50_000,
  });
  expect(HostConfig?.SecurityOpt).toContain('no-new-privileges');
  expect(HostConfig).not.toHaveProperty('Binds');
  expect(HostConfig).not.toHaveProperty('Privileged');
});

test('its agent goes behind the whole filter before anything else', () => {
  expect(options).toMatchObject({
    Entrypoint: ['/usr/local/lib/codebeaker/agent'],
    Cmd: expect.arrayContaining(['agent', '--filter', '/usr/local/lib/codebeaker/filter']),
  });
});

test('all it can write lies in memory and is half of it together', () => {
  const sizes = Object.values(HostConfig?.Tmpfs as Record<string, string>).map(text =>
    Number(/size=(\d+)/.exec(text)?.[1]),
  );
  expect(sizes.reduce((sum, size) => sum + size, HostConfig?.ShmSize ?? 0)).toBe(256 * MB);
  expect(Object.keys(HostConfig?.Tmpfs as object)).toEqual(['/workspace', '/tmp', '/home/sandbox']);
});

test('its disk is a limit of its own, whatever its memory is', () => {
  const small = containerOptions({ ...plan, limits: { ...plan.limits, diskBytes: 16 * MB } }).HostConfig;
  const sizes = Object.values(small.Tmpfs as Record<string, string>).map(text =>
    Number(/size=(\d+)/.exec(text)?.[1]),
  );
  expect([...sizes, small.ShmSize]).toEqual([10 * MB, 4 * MB, MB, MB]);
  expect(small.Memory).toBe(512 * MB);
});

test('the engine’s usual runtime runs it unless another is named', () => {
  expect(HostConfig).not.toHaveProperty('Runtime');
  expect(containerOptions({ ...plan, engineRuntime: 'runsc' }).HostConfig.Runtime).toBe('runsc');
});

test('its places are its own user’s', () => {
  for (const options of Object.values(HostConfig?.Tmpfs as Record<string, string>))
    expect(options).toContain('uid=1879052288,gid=1879052288,mode=0755');
});

test('nothing but the library, read-only and on a superblock of its own, and few terminals are mounted', () => {
  expect(HostConfig?.Mounts).toMatchObject([
    {
      ...{ Type: 'volume', Source: '', Target: '/usr/local/lib/codebeaker' },
      VolumeOptions: {
        DriverConfig: {
          Name: 'local',
          Options: {
            type: 'overlay',
            o: 'ro,nosuid,nodev,lowerdir=/engine/library/library:/engine/library/nothing',
          },
        },
      },
    },
    {
      ...{ Type: 'volume', Source: '', Target: '/dev/pts' },
      VolumeOptions: {
        DriverConfig: {
          Name: 'local',
          Options: { type: 'devpts', o: 'nosuid,noexec,ptmxmode=0666,mode=0620,max=16' },
        },
      },
    },
  ]);
  expect(HostConfig?.Mounts).toHaveLength(2);
});

test('layers of packages are mounted where some are installed, read-only and on a superblock of their own', () => {
  const layers = overlayOf('/engine/packages', ['layers', 'nothing']);
  expect(containerOptions({ ...plan, layers }).HostConfig.Mounts).toMatchObject([
    { Target: '/usr/local/lib/codebeaker' },
    {
      ...{ Type: 'volume', Source: '', Target: '/packages' },
      VolumeOptions: {
        NoCopy: true,
        DriverConfig: {
          Name: 'local',
          Options: {
            type: 'overlay',
            o: 'ro,nosuid,nodev,lowerdir=/engine/packages/layers:/engine/packages/nothing',
          },
        },
      },
    },
    { Target: '/dev/pts' },
  ]);
});

test('what tells of the machine is hidden', () => {
  expect(HostConfig?.MaskedPaths).toEqual(
    expect.arrayContaining(['/proc/interrupts', '/proc/diskstats', '/proc/sys/kernel/random/boot_id']),
  );
});

test('its labels tell whose it is', () => {
  expect(options.Labels).toEqual({
    'codebeaker.instance': 'mine',
    'codebeaker.session': 'one',
    'codebeaker.library': 'library',
    'codebeaker.created': expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
  });
});
