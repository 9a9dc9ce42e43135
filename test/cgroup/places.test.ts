import { expect, test } from 'vitest';
import { mountPoints, ownPaths } from '../../src/cgroup/cgroup.ts';

/** Texts of /proc as systems of each kind have them. */
const V2_MOUNTS = `
22 28 0:21 / /proc rw,nosuid - proc proc rw
35 24 0:30 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot`;
const V1_MOUNTS = `
31 23 0:28 / /sys/fs/cgroup ro - tmpfs tmpfs ro,mode=755
32 31 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
33 31 0:30 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd
34 31 0:31 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
36 31 0:33 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids`;

test('finds the one hierarchy of version 2', () => {
  expect(mountPoints(V2_MOUNTS).get('')).toBe('/sys/fs/cgroup');
  expect(ownPaths('0::/user.slice/user-1000.slice/a:b.scope\n').get('')).toBe(
    '/user.slice/user-1000.slice/a:b.scope',
  );
});

test('finds each hierarchy of version 1, also two controllers that share one', () => {
  const mounts = mountPoints(V1_MOUNTS);
  expect(mounts.get('memory')).toBe('/sys/fs/cgroup/memory');
  expect(mounts.get('cpu')).toBe(mounts.get('cpuacct'));
  const own = ownPaths('5:pids:/\n4:memory:/jobs/1\n3:cpu,cpuacct:/\n1:name=systemd:/x\n0::/\n');
  expect(['pids', 'memory', 'cpu', 'cpuacct'].map(name => own.get(name))).toEqual(['/', '/jobs/1', '/', '/']);
});
