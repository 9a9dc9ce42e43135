"""How an interpreter that waits outside of every sandbox forks itself into one; see ../../protocol.ts.

The interpreter runs with the service's own rights and has never run a line that is not the service's. Its child enters the
namespaces of a sandbox, has the sandbox's init for its parent, and gives up every right before it is anything else's:
where `serve` has returned it is what a program of that sandbox is, and what it then runs may be anybody's.
"""

import os
import sys

known = set(sys.modules)

import gc
from ctypes import CDLL, Structure, byref, c_int, c_size_t, c_ubyte, c_uint32, c_ulong, c_ushort, c_void_p, cast, get_errno
from errno import EPERM
from select import select
from time import monotonic

# What a program imports by these names it imports itself.
for name in set(sys.modules) - known:
    del sys.modules[name]

# Not looked at by any child's collector, which would copy every page of it.
gc.collect()
gc.freeze()

# `fork` is C's own: what Python does after one is for threads and for programs, and there is neither.
libc = CDLL(None, use_errno=True)
libc.prctl.argtypes = [c_int, c_ulong, c_ulong, c_ulong, c_ulong]
libc.madvise.argtypes = [c_void_p, c_size_t, c_int]

NEW_NAMESPACES = 0x00020000
NEW_GROUPS = 0x02000000
NEW_HOST_NAME = 0x04000000
NEW_IPC = 0x08000000
NEW_USERS = 0x10000000
NEW_PIDS = 0x20000000
NEW_NETWORK = 0x40000000
PIDFD_GETFD = 438
SET_DUMPABLE, SET_SECCOMP, CAPBSET_READ, CAPBSET_DROP, SET_NO_NEW_PRIVS = 4, 22, 23, 24, 38
MODE_FILTER = 2
CAPABILITY_VERSION_3 = 0x20080522
CAPABILITIES = 64
MADV_POPULATE_WRITE = 23
PATIENCE_S = 10
SIGKILL = 9
LOWEST_PRIORITY = 19
LAST_DESCRIPTOR = 1 << 20
# See Release in ../../protocol.ts.
FILE = 4


def check(name, result):
    if result < 0:
        raise OSError(get_errno() or EPERM, name)
    return result


def prctl(option, value, second=0):
    return libc.prctl(option, value, second, 0, 0)


class Program(Structure):
    """struct sock_fprog (seccomp(2))"""

    _fields_ = [('length', c_ushort), ('instructions', c_void_p)]


with open('/tmp/filter', 'rb') as file:
    code = file.read()
# Of which a child's own copies are made.
places = []
# Eight bytes an instruction; kept as long as this module.
instructions = (c_ubyte * len(code)).from_buffer_copy(code)
program = Program(len(code) // 8, cast(instructions, c_void_p))


def written_places():
    """Where this process has pages that it has written: each with its length."""
    places = []
    with open('/proc/self/smaps') as lines:
        for line in lines:
            first, second, *_ = line.split()
            if not first.endswith(':'):
                low, high = (int(end, 16) for end in first.split('-'))
                writable = second.startswith('rw')
            elif first == 'Anonymous:' and second != '0' and writable:
                places.append((low, high - low))
    return places


def own_pages():
    """
    Copies at once what of its parent's pages a child would copy one by one: counted references are written wherever anything is read, and
    at the end nearly everywhere. Before Linux 5.14 nothing comes of it.
    """
    for low, length in places:
        libc.madvise(low, length, MADV_POPULATE_WRITE)


def serve(orders, held, control, parse):
    """Obeys `orders`, then those on `control`, of which `held` has come already. Returns in the children only."""
    # Keeps the number taken that a child's file will have.
    nothing = os.open('/dev/null', os.O_RDONLY)
    if nothing != FILE:
        os.close(nothing)
    own = os.pidfd_open(os.getpid())
    # An ordinary user can't go back, as the processes outside are not its own: better before there is a child that nobody knows of.
    if libc.setns(own, NEW_PIDS) < 0:
        os.write(2, b'coming back from a sandbox (errno %d)\n' % get_errno())
        os._exit(1)
    # Its children take theirs from their sandboxes; itself it may use all, as who made it.
    os.sched_setaffinity(0, os.sched_getaffinity(os.getppid()))
    entering = {}
    places.extend(written_places())
    # Nobody may read its last words for long, and a child that fails waits for nothing.
    os.set_blocking(2, False)
    while True:
        *lines, held = held.split(b'\n')
        for order in orders + [parse(line.decode())['fork'] for line in lines]:
            try:
                child = fork(order, control, own)
            except OSError:
                answer(control, order['sandbox'], None)
                continue
            if child is None:
                return
            entering[child.ended] = child
        orders = []
        ready, _, _ = select([control, *entering], [], [], PATIENCE_S if entering else None)
        for child in list(entering.values()):
            if child.ended in ready:
                del entering[child.ended]
                answer(control, child.sandbox, child.number())
            elif monotonic() > child.deadline:
                os.kill(child.pid, SIGKILL)
        if control in ready:
            piece = os.read(control, 65536)
            if not piece:
                # The service is gone.
                os._exit(0)
            held += piece


def answer(control, sandbox, number):
    os.write(control, b'{"forked":"%s","pid":%s}\n' % (sandbox.encode(), b'null' if number is None else b'%d' % number))


class Entering:
    """A child on its way into a sandbox. Others are not kept waiting by it."""

    def __init__(self, pid, sandbox, reading):
        self.pid = pid
        self.sandbox = sandbox
        self.reading = reading
        self.ended = os.pidfd_open(pid)
        self.deadline = monotonic() + PATIENCE_S

    def number(self):
        """That of the process which it has left inside, or None; once, when it has ended."""
        os.close(self.ended)
        _, status = os.waitpid(self.pid, 0)
        number = os.read(self.reading, 32) if status == 0 else b''
        os.close(self.reading)
        return int(number) if number else None


def fork(order, control, own):
    """None in the child that is in the sandbox; its control socket is descriptor `control` there. `own`: a descriptor of this process."""
    agent = None
    try:
        agent = open_agent(order['agent'], order['members'])
        cpus = os.sched_getaffinity(order['agent'])
        reading, writing = os.pipe()
    except OSError as problem:
        if agent is not None:
            os.close(agent)
        last_words(problem)
        raise
    # Born in there, it need not fork once more to be: each fork copies the tables of all pages, and each of the two then those it writes.
    entered = libc.setns(agent, NEW_PIDS)
    pid = libc.fork() if entered == 0 else -1
    if pid == 0:
        try:
            return enter(order, control, writing, agent, cpus)
        except BaseException as problem:
            # To whoever reads the last words of the interpreter, or those of the program that it was to be.
            try:
                last_words(problem)
            finally:
                os._exit(1)
    error = get_errno()
    if libc.setns(own, NEW_PIDS) < 0:
        # The next child would be born in this sandbox.
        os._exit(1)
    os.close(writing)
    os.close(agent)
    if pid < 0:
        os.close(reading)
        raise OSError(error, 'fork')
    return Entering(pid, order['sandbox'], reading)


def last_words(problem):
    try:
        os.write(2, b'%a\n' % problem)
    except BlockingIOError:
        pass


def enter(order, control, writing, agent, cpus):
    # Not seen from inside.
    groups = [os.open(path, os.O_WRONLY) for path in order['procs']]
    # What runs in there is kept on these, and this is nobody's to keep while it has rights.
    os.sched_setaffinity(0, cpus)
    # By descriptor: the agent lets nobody but root look at it.
    users = check('pidfd_getfd', libc.syscall(PIDFD_GETFD, agent, order['users'], 0))
    taken = [-1 if end < 0 else check('pidfd_getfd', libc.syscall(PIDFD_GETFD, agent, end, 0)) for end in order['ends']]
    namespaces = NEW_NAMESPACES | NEW_GROUPS | NEW_HOST_NAME | NEW_IPC | NEW_NETWORK
    check('setns', libc.setns(agent, namespaces))
    # The orphan of a process inside goes to the init there; the child of one outside would not.
    last = check('fork', libc.fork())
    if last:
        os.write(writing, b'%d' % last)
        os._exit(0)
    # Only now: whoever asked may have given the sandbox next to nothing of the CPU, and others are waiting.
    for group in groups:
        os.write(group, b'0')
    take_descriptors(taken, control, users, order['cwd'])
    become_nobody(order['uid'], users)


def open_agent(pid, group):
    agent = os.pidfd_open(pid)
    try:
        # A sandbox may have ended since the order was given, and its agent's number be anybody's: another customer's, or the host's.
        with open(group) as members:
            if str(pid) not in members.read().split():
                raise ProcessLookupError('the agent is gone')
    except OSError:
        os.close(agent)
        raise
    return agent


def take_descriptors(taken, control, users, cwd):
    os.setsid()
    os.chdir(cwd)
    os.umask(0o022)
    stdin, stdout, stderr, socket, file = taken
    # None of them is where another one goes: the parent has these numbers itself.
    os.dup2(os.open('/dev/null', os.O_RDONLY) if stdin < 0 else stdin, 0)
    os.dup2(stdout, 1)
    os.dup2(stderr, 2)
    os.dup2(socket, control, control == 3)
    kept = {control, users}
    if file >= 0:
        os.dup2(file, FILE)
        kept.add(FILE)
    kept = sorted(kept)
    for low, high in zip([2] + kept, kept + [LAST_DESCRIPTOR]):
        os.closerange(low + 1, high)


def become_nobody(uid, users):
    os.setpriority(os.PRIO_PROCESS, 0, LOWEST_PRIORITY)
    fd = os.open('/proc/self/oom_score_adj', os.O_WRONLY)
    os.write(fd, b'1000')
    os.close(fd)
    # What else runs in there may not touch it before it is under the filter as well.
    check('prctl', prctl(SET_DUMPABLE, 0))
    if uid is not None:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    # Its user made that namespace, and so has every right in there, and there only.
    check('setns', libc.setns(users, NEW_USERS))
    os.close(users)
    for capability in range(CAPABILITIES):
        # Negative from the first that the kernel does not know.
        if prctl(CAPBSET_READ, capability) < 0:
            break
        check('prctl', prctl(CAPBSET_DROP, capability))
    check('prctl', prctl(SET_NO_NEW_PRIVS, 1))
    check('capset', libc.capset(byref((c_uint32 * 2)(CAPABILITY_VERSION_3, 0)), byref((c_uint32 * 6)())))
    check('prctl', prctl(SET_SECCOMP, MODE_FILTER, cast(byref(program), c_void_p).value))
    # It is a program like another now, and may look at itself.
    check('prctl', prctl(SET_DUMPABLE, 1))
