import { describe, expect, inject, test } from 'vitest';
import { startedSandboxes } from '../support/matrix.ts';
import { TestSession } from '../support/session.ts';
import { probe, serverIsWell } from './probe.ts';

/** Two sandboxes meet nowhere: what one leaves in the kernel, the other does not find. */
const server = inject('server');

const LEAVE = `
import ctypes, mmap, os, socket
libc = ctypes.CDLL(None, use_errno=True)
KEY = 0x5EC0
left = {
  'System V shared memory': libc.shmget(KEY, 4096, 0o1666),
  'System V queue': libc.msgget(KEY, 0o1666),
  'System V semaphore': libc.semget(KEY, 1, 0o1666),
  'POSIX shared memory': libc.shm_open(b'/meeting', 0o102, 0o666),
  'POSIX queue': ctypes.CDLL('librt.so.1').mq_open(b'/meeting', 0o102, 0o666, None),
}
held = socket.socket(socket.AF_UNIX); held.bind('\\0meeting'); held.listen()
for d in ('/tmp', '/dev/shm', os.environ['HOME'], '/workspace'): open(d + '/meeting', 'w').write('left')
print([name for name, made in left.items() if made < 0])`;

const FIND = `
import ctypes, os, socket
libc = ctypes.CDLL(None, use_errno=True)
KEY = 0x5EC0
found = {
  'System V shared memory': libc.shmget(KEY, 4096, 0),
  'System V queue': libc.msgget(KEY, 0),
  'System V semaphore': libc.semget(KEY, 1, 0),
  'POSIX shared memory': libc.shm_open(b'/meeting', 2, 0),
  'POSIX queue': ctypes.CDLL('librt.so.1').mq_open(b'/meeting', 2, 0, None),
}
names = [name for name, made in found.items() if made >= 0]
try: socket.socket(socket.AF_UNIX).connect('\\0meeting'); names.append('abstract socket')
except OSError: pass
names += [d for d in ('/tmp', '/dev/shm', os.environ['HOME'], '/workspace') if os.path.exists(d + '/meeting')]
names += [f'process {p}' for p in os.listdir('/proc') if p.isdigit() and b'NEIGH' b'BOUR' in open(f'/proc/{p}/cmdline', 'rb').read()]
print(names)`;

/** Each descriptor that a program is started with. */
const MARK_DESCRIPTORS = `
import fcntl, os, sys
for fd in range(0, 64):
    try: flags = fcntl.fcntl(fd, fcntl.F_GETFL)
    except OSError: continue
    fcntl.fcntl(fd, fcntl.F_SETFL, flags | os.O_NONBLOCK | os.O_APPEND)
    fcntl.fcntl(fd, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(fd, 10, 10)
os.write(1, b'marked\\n')`;

const MARKED_DESCRIPTORS = `
import fcntl, os
marked = []
for fd in range(0, 64):
    try: flags = fcntl.fcntl(fd, fcntl.F_GETFL)
    except OSError: continue
    marks = flags & (os.O_NONBLOCK | os.O_APPEND), fcntl.fcntl(fd, fcntl.F_GETOWN), fcntl.fcntl(fd, 11)
    if any(marks): marked.append([fd, os.readlink(f'/proc/self/fd/{fd}'), *marks])
print(marked)`;

describe.for(await startedSandboxes())('two sandboxes of $name', cell => {
  const open = () =>
    TestSession.open(server.wsUrl, { language: cell.language, runtimeType: cell.runtimeType });

  test('share no memory, queue, semaphore, socket, file or process', async () => {
    await using one = await open();
    await using two = await open();
    const command = { type: 'execute_shell', commandName: 'sh', background: true };
    const args = ['-c', 'exec sleep 60 NEIGHBOUR || :', 'NEIGHBOUR'];
    await one.client.call('session.execute', { sessionId: one.id, command: { ...command, args } });
    const left = await one.shell('python3', ['-c', LEAVE]);
    // What can't be had at all can't be met in either.
    expect(left.outcome, left.stderr).toBe('ok');
    const found = await two.shell('python3', ['-c', FIND]);
    expect(found.stdout, found.stderr).toBe('[]\n');
    await serverIsWell();
  });

  test('share no open file: what one sets at its descriptors the other does not find', async () => {
    await using one = await open();
    await using two = await open();
    expect((await one.shell('python3', ['-c', MARK_DESCRIPTORS])).stdout).toBe('marked\n');
    const found = await two.shell('python3', ['-c', MARKED_DESCRIPTORS]);
    expect(found.stdout, found.stderr).toBe('[]\n');
  });
});

describe.for(await startedSandboxes())('a program in $name', cell => {
  test('gains nothing by a file that sets the user, be it the system’s or its own', async () => {
    const seen = await probe(
      cell,
      `
import shutil
own = '/workspace/id'
shutil.copy(shutil.which('id'), own); attempt(lambda: os.chmod(own, 0o6755))
uids = {own: subprocess.run([own, '-u'], capture_output=True, text=True).stdout.strip()}
flags = [line.split()[3:6] for line in text('/proc/self/mountinfo').splitlines()]
print(json.dumps({'uids': uids, 'mine': str(os.getuid()),
  'mounts': [f[1] for f in flags if 'nosuid' not in f[2] and 'nosuid' not in f[0]]}))`,
    );
    expect(Object.values(seen.uids)).toEqual([seen.mine]);
    // Those that the system has are held by no_new_privs (prctl(2)), which is looked at in host.test.ts.
    if (cell.runtimeType !== 'Docker') expect(seen.mounts).toEqual([]);
  });
});
