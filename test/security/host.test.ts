import { readFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import { startedSandboxes } from '../support/matrix.ts';
import { TestSession } from '../support/session.ts';
import { SERVER_SECRET } from '../support/start-server.ts';
import { mark } from '../support/traces.ts';
import { probe } from './probe.ts';

/** A program sees nothing of the host: no file, no path, no process, no environment, no name. */
const server = inject('server');
const CLONE = join(import.meta.dirname, '../..');

describe.for(await startedSandboxes())('a program in $name', cell => {
  const inContainer = cell.runtimeType === 'Docker';
  test('cannot read the host’s accounts, homes, devices or kernel', async () => {
    const seen = await probe(
      cell,
      `
paths = ['/proc/cmdline', '/proc/acpi', '/proc/diskstats', '/proc/interrupts', '/proc/keys', '/proc/sys/kernel/random/boot_id',
         '/etc/shadow', '/etc/gshadow', '/etc/sudoers', '/root', '/home/*/*', '/var/log', '/boot', '/run/*', '/srv',
         '/proc/kcore', '/proc/sysrq-trigger', '/dev/mem', '/dev/kmsg', '/dev/sd*', '/dev/vd*', '/dev/kvm', '/sys/kernel/*',
         '/var/run/docker.sock', '/etc/hostname', '/etc/machine-id', '/etc/ssh', '/opt/*', '/mnt/*', '/media/*']
got = {}
for path in paths:
    for found in glob.glob(path) or [path]:
        if os.path.isdir(found): answer = attempt(lambda: os.listdir(found))
        else: answer = attempt(lambda: text(found, 64))
        if answer not in ('ENOENT', 'EACCES', 'EPERM', 'EIO', []): got[found] = answer
home = os.environ['HOME']
print(json.dumps({k: v for k, v in got.items() if not k.startswith(home)}))`,
    );
    // Only directories of our own making may show, and they are empty; and nothing of how the host was started and what it does. What
    // else a container has below its root is its image's.
    const ofHost = Object.entries(seen).filter(
      ([path]) => !inContainer || /^\/(proc|dev|sys|run|var\/run)\//.test(path),
    );
    expect(seen).toHaveProperty(['/proc/cmdline'], '');
    expect(ofHost.filter(([, text]) => text !== '')).toEqual([]);
  });

  test('cannot see where the service lives', async () => {
    const seen = await probe(
      cell,
      `
print(json.dumps({
  'exists': [p for p in ${JSON.stringify([CLONE, join(CLONE, 'src'), '/.codebeaker'])} if os.path.exists(p)],
  'mounts': text('/proc/self/mountinfo') + text('/proc/self/mounts'),
  'cgroup': text('/proc/self/cgroup'),
  'name': platform.node(),
}))`,
    );
    expect(seen.exists).toEqual([]);
    expect(seen.mounts).not.toContain(CLONE);
    expect(seen.mounts).not.toContain('node_modules');
    expect(seen.mounts).not.toContain(join(tmpdir(), 'codebeaker-test-'));
    // An engine mounts them, and covers them for us.
    if (!inContainer) expect(seen.mounts).not.toMatch(/cgroup/);
    for (const line of seen.cgroup.trim().split('\n')) expect(line).toMatch(/:\/$/);
    expect(seen.name).not.toBe(hostname());
  });

  test('sees no process but its own, and no environment but its own', async () => {
    const seen = await probe(
      cell,
      `
own = []
for pid in os.listdir('/proc'):
    if pid.isdigit():
        own.append([pid, attempt(lambda: text(f'/proc/{pid}/cmdline')), attempt(lambda: text(f'/proc/{pid}/environ'))])
print(json.dumps(own))`,
    );
    expect(seen.length).toBeLessThan(8);
    expect(JSON.stringify(seen)).not.toContain(SERVER_SECRET);
    expect(JSON.stringify(seen)).not.toContain('src/server.');
  });

  test('is nobody: no capability, no new privileges, a filter on its system calls', async () => {
    const seen = await probe(
      cell,
      `
status = dict(line.split(':\\t', 1) for line in text('/proc/self/status').splitlines() if ':\\t' in line)
names = ('CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb', 'NoNewPrivs', 'Seccomp')
su = subprocess.run(['su', '-c', 'id'], input='', capture_output=True, text=True)
print(json.dumps({**{n: status[n].strip() for n in names}, 'ids': [os.getuid(), os.geteuid(), os.getgid(), os.getegid()],
  'groups': os.getgroups(), 'su': su.returncode,
  'setuid': attempt(lambda: os.setuid(0)), 'chroot': attempt(lambda: os.chroot('/tmp'))}))`,
    );
    const none = '0000000000000000';
    expect(seen).toMatchObject({ CapInh: none, CapPrm: none, CapEff: none, CapBnd: none, CapAmb: none });
    expect(seen).toMatchObject({ NoNewPrivs: '1', Seccomp: '2', chroot: 'EPERM' });
    // Root has no number inside at all.
    expect(['EPERM', 'EINVAL']).toContain(seen.setuid);
    expect(seen.ids).not.toContain(0);
    expect(seen.groups).not.toContain(0);
    expect(seen.su).not.toBe(0);
  });

  test('is nobody on the machine either, and has no way back', async () => {
    const trace = mark();
    await using session = await TestSession.open(server.wsUrl, {
      language: cell.language,
      runtimeType: cell.runtimeType,
      environment: trace.environment,
    });
    const command = { type: 'execute_shell', commandName: 'sleep', args: ['60'], background: true };
    await session.client.call('session.execute', { sessionId: session.id, command });
    await expect.poll(() => trace.processes().length).toBeGreaterThan(0);
    for (const pid of trace.processes()) {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      // An ordinary user's sandboxes are that user.
      if (process.getuid?.() === 0) expect(status).toMatch(/^Uid:\s+([1-9]\d*)\s+\1\s+\1\s+\1$/m);
      expect(status).toMatch(/^CapBnd:\s+0+$/m);
      expect(status).toMatch(/^NoNewPrivs:\s+1$/m);
      expect(status).toMatch(/^Seccomp:\s+2$/m);
    }
  });

  test('cannot write to the system, its kernel’s settings or its own limits', async () => {
    const seen = await probe(
      cell,
      `
import resource
targets = ['/x', '/usr/x', '/usr/bin/x', '/usr/local/bin/python3', '/usr/local/lib/x', '/etc/passwd', '/etc/x', '/proc/sys/kernel/core_pattern',
           '/proc/sys/kernel/hostname', '/proc/sys/vm/overcommit_memory', '/proc/sys/kernel/msgmax', '/proc/sys/kernel/shmmax',
           '/proc/sys/fs/mqueue/msg_max', '/proc/sys/net/ipv4/tcp_rmem', '/proc/sys/net/core/somaxconn',
           '/proc/sys/user/max_user_namespaces',
           *['/proc/1/' + name for name in ('oom_score_adj', 'coredump_filter', 'clear_refs', 'sched', 'comm')]]
got = {t: attempt(lambda: open(t, 'a').write('x')) for t in targets}
groups = [os.path.join(d, f) for d, _, fs in os.walk('/sys/fs/cgroup') for f in fs]
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
files = []
limit = attempt(lambda: [files.append(os.open('/dev/null', os.O_RDONLY)) for _ in range(5000)])
for file in files: os.close(file)
print(json.dumps({'written': [t for t, r in got.items() if not isinstance(r, str)], 'cgroup': groups,
  'files': hard, 'refused': limit, 'opened': len(files), 'core': resource.getrlimit(resource.RLIMIT_CORE),
  'limits': {n: resource.getrlimit(getattr(resource, 'RLIMIT_' + n)) for n in ('RTPRIO', 'NICE', 'SIGPENDING', 'MSGQUEUE', 'MEMLOCK')},
  'lower': attempt(lambda: resource.setrlimit(resource.RLIMIT_CORE, (0, 0))),
  'raise': attempt(lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (hard + 1, hard + 1))),
  'device': attempt(lambda: os.mknod('/tmp/disk', 0o60600, os.makedev(8, 0)))}))`,
    );
    expect(seen).toMatchObject({ written: [], cgroup: [], files: 1024, refused: 'EMFILE', core: [1, 1] });
    expect(seen.limits).toEqual({
      RTPRIO: [0, 0],
      NICE: [0, 0],
      SIGPENDING: [1024, 1024],
      MSGQUEUE: [819_200, 819_200],
      MEMLOCK: [65_536, 65_536],
    });
    expect(['EPERM', 'ENOSYS', 'ValueError']).toContain(seen.lower);
    expect(seen.opened).toBeLessThanOrEqual(1024);
    expect(['EPERM', 'ValueError']).toContain(seen.raise);
    expect(seen.device).toBe('EPERM');
  });

  test('has only harmless devices', async () => {
    const seen: string[] = await probe(cell, `print(json.dumps(os.listdir('/dev')))`);
    const harmless =
      'console core fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero';
    expect(harmless.split(' ')).toEqual(expect.arrayContaining(seen));
  });
});
