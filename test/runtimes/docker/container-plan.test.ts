import { expect, test } from 'vitest';
import { containerOptions } from '../../../src/runtimes/docker/container-plan.ts';
import { allBut } from '../../../src/seccomp/profile.ts';

const MB = 1024 * 1024;
const plan = {
  id: 'one',
  instance: 'mine',
  image: 'codebeaker-python:latest',
  volume: 'library',
  limits: {
    memoryBytes: 512 * MB,
    diskBytes: 256 * MB,
    cpus: 0.5,
    processes: 128,
    openFiles: 1024,
    inodes: 65_536,
  },
  readOnlyFilesystem: true,
};
const { HostConfig, ...options } = containerOptions(plan);

test('a container has no network, no privilege, no user of the host and no swap', () => {
  expect(options).toMatchObject({ NetworkDisabled: true, User: '65534:65534' });
  expect(HostConfig).toMatchObject({
    NetworkMode: 'none',
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

test('all it can write lies in memory and is half of it together', () => {
  const sizes = Object.values(HostConfig?.Tmpfs as Record<string, string>).map(text =>
    Number(/size=(\d+)/.exec(text)?.[1]),
  );
  expect(sizes.reduce((sum, size) => sum + size, HostConfig?.ShmSize ?? 0)).toBe(256 * MB);
  expect(Object.keys(HostConfig?.Tmpfs as object)).toEqual(['/workspace', '/tmp', '/home/sandbox']);
});

test('nothing but the library is mounted, and read-only', () => {
  expect(HostConfig?.Mounts).toMatchObject([{ Type: 'volume', Source: 'library', ReadOnly: true }]);
});

test('its labels tell whose it is', () => {
  expect(options.Labels).toEqual({
    'codebeaker.instance': 'mine',
    'codebeaker.session': 'one',
    'codebeaker.created': expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
  });
});

test('prefixes that leave a few numbers out cover all others once', () => {
  const prefixes = allBut([0x5412, 0x541c]);
  const matching = (number: number) => prefixes.filter(({ mask, value }) => (number & mask) >>> 0 === value);
  for (const out of [0x5412, 0x541c]) expect(matching(out)).toEqual([]);
  for (const number of [0, 1, 0x5411, 0x5413, 0x541b, 0x541d, 0x5401, 0x8000_5412, 0xffff_ffff]) {
    expect(matching(number), String(number)).toHaveLength(1);
  }
});
