import { readFileSync } from 'node:fs';
import { describe, expect, inject, test } from 'vitest';
import { matrix } from '../support/matrix.ts';
import { runOnce } from '../support/rest-client.ts';

/**
 * What a program can have the kernel hold, kind by kind: it is charged for it, or ended, or refused. Each program tries up
 * to some 300 MB in a sandbox of 64 MB, and what the kernel holds is measured from outside while it does: in sandboxes of all runtimes at once.
 */
const server = inject('server');
const LIMIT_MB = 64;
/** Beside the limit: what a sandbox's sockets may hold, what grows between two looks, and other programs of the machine. */
const SLACK_MB = 112;
const LOOK_MS = 50;

/**
 * `many(n, make)` holds up to n of something until it is refused; `forks(n, work)` does so in n processes, and all of them hold
 * it for so many seconds once the last has come to its end.
 */
const PRELUDE = `
import ctypes, errno, fcntl, mmap, os, select, signal, socket, struct, time
libc = ctypes.CDLL(None, use_errno=True)
CLONE = 220 if os.uname().machine == 'aarch64' else 56
held = []
def many(n, make):
    try:
        for i in range(n): held.append(make(i))
    except OSError as problem: return problem.errno
def forks(n, work, seconds=0.3):
    (busy, filling), (let_go, holding) = os.pipe(), os.pipe()
    for i in range(n):
        try: pid = os.fork()
        except OSError: break
        if pid == 0:
            os.close(holding)
            try: work(i)
            except Exception: pass
            os.close(filling); os.read(let_go, 1); os._exit(0)
    os.close(filling)
    while os.read(busy, 1): pass
    time.sleep(seconds)
def check(result):
    if result < 0: raise OSError(ctypes.get_errno(), 'refused')
    return result
def local(kind=socket.SOCK_STREAM):
    s = socket.socket(socket.AF_INET, kind); s.bind(('127.0.0.1', 0)); return s
`;

/** Held by nobody's group but for the watch: the sandbox is ended. */
const ENDED = {
  'connections that nobody accepts': `
for _ in range(18):
    s = local(); s.listen(4096); held.append(s)
    for _ in range(1000):
        c = socket.socket(); c.setblocking(False); c.connect_ex(s.getsockname()); c.close()
time.sleep(1.5)`,
  'what was sent to connections that nobody accepts': `
for _ in range(28):
    s = local(); s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20); s.listen(4096); held.append(s)
    for _ in range(128):
        c = socket.socket(); c.setblocking(False); c.connect_ex(s.getsockname())
        try: c.send(b'x' * 60000)
        except OSError: pass
        c.close()
time.sleep(1.5)`,
  'stamps of what was sent': `
SO_TIMESTAMPING, SCHEDULED = 37, 1 << 8 | 1 << 1
to = local(socket.SOCK_DGRAM)
def stamped():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.connect(to.getsockname())
    for _ in range(6): s.sendmsg([b'x' * 30000], [(socket.SOL_SOCKET, SO_TIMESTAMPING, struct.pack('I', SCHEDULED))])
    return s
forks(8, lambda i: many(200, lambda j: stamped()), 1.5)`,
};

/**
 * Not charged either, and looked at now and then: three times as many as a sandbox may hold, few in each file, since the kernel goes through
 * all of a file's for each. It is ended long before it ends.
 */
const LOCKED = `
for i in range(800):
    held.append(os.open('/tmp/%d' % i, os.O_RDWR | os.O_CREAT))
    for j in range(150): fcntl.fcntl(held[-1], fcntl.F_SETLK, struct.pack('hhqqi', fcntl.F_WRLCK, 0, 2 * j, 1, 0))
time.sleep(50)`;

/** Charged, so that the control group stops or ends it. */
const CHARGED = {
  'connections that are over': `
s = local(); s.listen(64)
for _ in range(17000):
    c = socket.create_connection(s.getsockname()); a, _ = s.accept(); c.close(); a.close()`,
  pipes: `
def pipe(j):
    r, w = os.pipe(); os.set_blocking(w, False); fcntl.fcntl(w, 1031, 1 << 16); os.write(w, b'x' * 65536); return r, w
forks(60, lambda i: many(40, pipe))`,
  'sockets and what lies in them': `
def pair(j):
    a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM); a.setblocking(False)
    try:
        while True: a.send(b'x' * 60000)
    except OSError: return a, b
forks(60, lambda i: many(40, pair))`,
  'descriptors in flight': `
def pair(j):
    a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM); fds = [os.memfd_create('x') for _ in range(200)]
    a.setblocking(False)
    try:
        for _ in range(20): socket.send_fds(a, [b'x'], fds)
    except OSError as problem:
        # Others meet the same: what nobody receives does not become less.
        if problem.errno == errno.ETOOMANYREFS: raise
    finally:
        for fd in fds: os.close(fd)
    return a, b
forks(20, lambda i: many(100, pair))`,
  'polls and timers': `
def some(j): return select.epoll(), check(libc.timerfd_create(1, 0)), check(libc.eventfd(0, 0)), check(libc.inotify_init())
forks(100, lambda i: many(240, some))`,
  'timers of processes': `
t = ctypes.c_void_p()
forks(20, lambda i: many(20000, lambda j: check(libc.timer_create(1, None, ctypes.byref(t)))))`,
  semaphores: `forks(3, lambda i: many(100, lambda j: check(libc.semget(0, 32000, 0o1600))))`,
  messages: `
text = ctypes.create_string_buffer(b'\\1' + bytes(8100))
def queue(j):
    q = check(libc.msgget(0, 0o1600))
    while libc.msgsnd(q, text, 8000, 0o4000) == 0: pass
forks(3, lambda i: many(3000, queue))`,
  'page tables': `
def work(i):
    m = mmap.mmap(-1, 60 << 30, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000, prot=mmap.PROT_READ); held.append(m)
    for at in range(0, 30 << 30, 2 << 20): m[at]
forks(5, work)`,
  'memory areas': `
def work(i):
    m = mmap.mmap(-1, 30000 * 8192); held.append(m)
    base = ctypes.addressof(ctypes.c_char.from_buffer(m))
    for j in range(30000): check(libc.mprotect(ctypes.c_void_p(base + j * 8192), 4096, 1))
forks(20, work)`,
  'attributes of files': `
def file(j):
    path = '/tmp/x%d' % j; open(path, 'w').close()
    for k in range(3): os.setxattr(path, 'user.a%d' % k, b'x' * 20000)
many(3000, file)`,
  'signals that wait': `
signal.pthread_sigmask(signal.SIG_BLOCK, [40])
forks(5, lambda i: many(100000, lambda j: check(libc.sigqueue(os.getpid(), 40, None))))`,
};

/** By the error that it meets. */
const REFUSED = {
  'a netlink socket for routes': ['ENOTSUP', 'socket.socket(16, socket.SOCK_RAW, 0)'],
  'a netlink socket for audits': ['EAFNOSUPPORT', 'socket.socket(16, socket.SOCK_RAW, 9)'],
  'a packet socket': ['EAFNOSUPPORT', 'socket.socket(17, socket.SOCK_RAW, 0)'],
  'a crypto socket': ['EAFNOSUPPORT', 'socket.socket(38, socket.SOCK_SEQPACKET, 0)'],
  IP_ADD_MEMBERSHIP: ['ENOPROTOOPT', 'udp.setsockopt(0, 35, bytes(8))'],
  IP_ADD_SOURCE_MEMBERSHIP: ['ENOPROTOOPT', 'udp.setsockopt(0, 39, bytes(12))'],
  MCAST_JOIN_GROUP: ['ENOPROTOOPT', 'udp.setsockopt(0, 42, bytes(136))'],
  IP_MSFILTER: ['ENOPROTOOPT', 'udp.setsockopt(0, 41, bytes(16))'],
  IPV6_JOIN_GROUP: ['ENOPROTOOPT', 'udp6.setsockopt(41, 20, bytes(20))'],
  IPV6_JOIN_ANYCAST: ['ENOPROTOOPT', 'udp6.setsockopt(41, 27, bytes(20))'],
  IPV6_FLOWLABEL_MGR: ['ENOPROTOOPT', 'udp6.setsockopt(41, 32, bytes(32))'],
  IPV6_HOPOPTS: ['ENOPROTOOPT', 'udp6.setsockopt(41, 54, bytes(8))'],
  IP_OPTIONS: ['ENOPROTOOPT', 'udp.setsockopt(0, 4, bytes(4))'],
  IP_XFRM_POLICY: ['ENOPROTOOPT', 'udp.setsockopt(0, 17, bytes(4))'],
  SO_SET_REPLACE: ['ENOPROTOOPT', 'udp.setsockopt(0, 64, bytes(4))'],
  SO_ATTACH_FILTER: ['ENOPROTOOPT', 'udp.setsockopt(1, 26, bytes(16))'],
  SO_ATTACH_BPF: ['ENOPROTOOPT', 'udp.setsockopt(1, 50, bytes(4))'],
  SO_ATTACH_REUSEPORT_CBPF: ['ENOPROTOOPT', 'udp.setsockopt(1, 51, bytes(16))'],
  SO_ATTACH_REUSEPORT_EBPF: ['ENOPROTOOPT', 'udp.setsockopt(1, 52, bytes(4))'],
  SO_LOCK_FILTER: ['ENOPROTOOPT', 'udp.setsockopt(1, 44, bytes(4))'],
  SO_TIMESTAMPING: ['ENOPROTOOPT', 'udp.setsockopt(1, 37, bytes(4))'],
  SO_ZEROCOPY: ['ENOPROTOOPT', 'udp.setsockopt(1, 60, bytes(4))'],
  'send(MSG_MORE)': ['ENOTSUP', 'udp.sendto(b"x", socket.MSG_MORE, ("127.0.0.1", 9))'],
  'sendmsg(MSG_MORE)': ['ENOTSUP', 'udp.sendmsg([b"x"], [], socket.MSG_MORE, ("127.0.0.1", 9))'],
  'sendmmsg(MSG_MORE)': ['ENOTSUP', 'check(libc.sendmmsg(udp.fileno(), None, 0, socket.MSG_MORE))'],
  TCP_ULP: ['ENOPROTOOPT', 'tcp.setsockopt(6, 31, b"tls")'],
  'a filter by prctl': ['EINVAL', 'check(libc.prctl(22, 2, 0, 0, 0))'],
  'a name for memory': ['EINVAL', 'check(libc.prctl(0x53564d41, 0, 0, 4096, 0))'],
  'a lease': ['EINVAL', 'fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)'],
  'a lock of nobody’s': ['EINVAL', 'fcntl.fcntl(file, 37, struct.pack("hhqqi", fcntl.F_WRLCK, 0, 0, 1, 0))'],
  'a process that shares descriptors': [
    'EPERM',
    'check(libc.syscall(ctypes.c_long(CLONE), ctypes.c_long(0x400 | 17), None, None, None, None))',
  ],
  dnotify: ['EINVAL', 'fcntl.fcntl(directory, fcntl.F_NOTIFY, fcntl.DN_CREATE)'],
  'huge pages': ['ENOMEM', 'mmap.mmap(-1, 2 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x40000)'],
  'huge files': ['EINVAL', 'os.memfd_create("x", os.MFD_HUGETLB)'],
  'huge segments': ['EPERM', 'check(libc.shmget(0, 2 << 20, 0o5600))'],
  'a line discipline': ['EPERM', 'fcntl.ioctl(os.openpty()[1], 0x5423, struct.pack("i", 2))'],
} as const;

const cells = (await matrix()).filter(
  ({ language, runtimeType }) => language === 'python' && ['Python', 'Docker'].includes(runtimeType),
);

/** A program’s ends on all of them, where it runs at once, and how much more the kernel held meanwhile at the most, megabytes. */
async function endsOf(
  program: string,
): Promise<{ ends: Awaited<ReturnType<typeof runOnce>>[]; grownMB: number }> {
  const before = kernelMB();
  let grownMB = 0;
  const timer = setInterval(() => {
    grownMB = Math.max(grownMB, kernelMB() - before);
  }, LOOK_MS);
  const code = PRELUDE + program;
  const config = { timeout: 60, memoryLimit: LIMIT_MB };
  const ends = await Promise.all(
    cells.map(({ runtimeType }) => runOnce(server.url, { language: 'python', runtimeType, code, config })),
  ).finally(() => clearInterval(timer));
  return { ends, grownMB };
}

/** Of all together, and so of each. */
const MOST_MB = LIMIT_MB + SLACK_MB;

describe(`in ${cells.map(({ name }) => name).join(', ')} the kernel holds no more for a program than its limit`, () => {
  test.for(Object.entries(ENDED))('of %s, by ending it', async ([, program]) => {
    const { ends, grownMB } = await endsOf(program);
    expect(ends).toMatchObject(
      cells.map(() => ({ outcome: 'memory_limit', usage: { limitsHit: ['memory'] } })),
    );
    expect(grownMB).toBeLessThan(MOST_MB);
  });

  test.for(Object.entries(CHARGED))('of %s, by charging it', async ([, program]) => {
    const { ends, grownMB } = await endsOf(program);
    expect(ends.map(({ outcome }) => outcome)).not.toContain('sandbox_lost');
    expect(grownMB).toBeLessThan(MOST_MB);
  });

  // They wait: for who looks at locks now and then, and for connections to be over.
  test.concurrent('of locks on files, by ending it', async () => {
    const { ends, grownMB } = await endsOf(LOCKED);
    expect(ends).toMatchObject(
      cells.map(() => ({ outcome: 'memory_limit', usage: { limitsHit: ['memory'] } })),
    );
    expect(grownMB).toBeLessThan(MOST_MB);
  });

  test.concurrent('of what it does not need, by refusing it', async () => {
    const tries = Object.entries(REFUSED).map(([name, [, work]]) => `  '${name}': lambda: ${work},`);
    const { ends } = await endsOf(`
import json
udp, tcp, udp6 = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), socket.socket(), socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
file, directory = os.open('own', os.O_RDONLY | os.O_CREAT), os.open('.', os.O_RDONLY)
def attempt(work):
    try: work(); return 'done'
    except OSError as problem: return errno.errorcode[problem.errno]
print(json.dumps({name: attempt(work) for name, work in {
${tries.join('\n')}
}.items()}))`);
    const refused = Object.fromEntries(Object.entries(REFUSED).map(([name, [error]]) => [name, error]));
    for (const end of ends) {
      expect(end, end.stderr).toMatchObject({ outcome: 'ok' });
      expect(JSON.parse(end.stdout)).toEqual(refused);
    }
  });

  test.concurrent('by settings of its network', async () => {
    // An ordinary user's network has no such setting on every kernel.
    const { ends } = await endsOf(
      `for name in ('core/somaxconn', 'ipv4/tcp_rmem', 'ipv4/tcp_max_tw_buckets'):
    if os.path.exists('/proc/sys/net/' + name): print(open('/proc/sys/net/' + name).read().split())`,
    );
    const settings = ends.map(({ stdout }) => stdout.replace(/^\['128'\]\n/, ''));
    expect(settings).toEqual(cells.map(() => "['4096', '16384', '262144']\n['16384']\n"));
  });

  test.concurrent('and ordinary servers and clients work', async () => {
    const { ends } = await endsOf(`
s = local(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20); s.listen(128)
for _ in range(300):
    c = socket.create_connection(s.getsockname()); a, _ = s.accept(); a.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    c.sendall(b'hi'); assert a.recv(2) == b'hi'; held.append((c, a))
for _ in range(4000):
    c = socket.create_connection(s.getsockname()); a, _ = s.accept(); c.close(); a.close()
time.sleep(1)
u = local(socket.SOCK_DGRAM); u.sendto(b'hi', u.getsockname()); assert u.recv(2) == b'hi'
print('ok')`);
    for (const end of ends) expect(end, end.stderr).toMatchObject({ outcome: 'ok', stdout: 'ok\n' });
  });
});

/** Unreclaimable memory of the whole machine’s kernel: proc_meminfo(5), and of sockets the pages that TCP and UDP count (proc(5), /proc/net/sockstat). */
function kernelMB(): number {
  const info = readFileSync('/proc/meminfo', 'utf8');
  const kilobytes = ['SUnreclaim', 'PageTables', 'KernelStack', 'VmallocUsed']
    .map(name => Number(new RegExp(`^${name}: +(\\d+) kB$`, 'm').exec(info)?.[1]))
    .reduce((sum, each) => sum + each, 0);
  const pages = [...readFileSync('/proc/net/sockstat', 'utf8').matchAll(/^(?:TCP|UDP): .* mem (\d+)/gm)]
    .map(([, count]) => Number(count))
    .reduce((sum, each) => sum + each, 0);
  return kilobytes / 1024 + (pages * 4) / 1024;
}
