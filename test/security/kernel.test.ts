import { describe, expect, test } from 'vitest';
import { startedSandboxes } from '../support/matrix.ts';
import { probe } from './probe.ts';

/**
 * System calls that lead to the kernel's less trodden parts are refused before the kernel looks at their arguments.
 * Numbers are x86-64's and arm64's, from the kernel's syscall tables; null where an architecture has none.
 */
const CALLS: Record<string, [x86: number | null, arm: number | null, ...args: number[]]> = {
  mount: [165, 40],
  umount2: [166, 39],
  pivot_root: [155, 41],
  open_tree: [428, 428],
  move_mount: [429, 429],
  fsopen: [430, 430],
  mount_setattr: [442, 442],
  unshare_user: [272, 97, 0x10000000],
  unshare_mount: [272, 97, 0x20000],
  unshare_net: [272, 97, 0x40000000],
  setns: [308, 268, 0],
  ptrace_traceme: [101, 117, 0],
  ptrace_attach: [101, 117, 16, 1],
  process_vm_readv: [310, 270, 1],
  process_vm_writev: [311, 271, 1],
  pidfd_getfd: [438, 438, 0],
  kcmp: [312, 272, 1, 1],
  bpf: [321, 280, 0],
  perf_event_open: [298, 241],
  userfaultfd: [323, 282, 1],
  io_uring_setup: [425, 425, 8],
  io_uring_enter: [426, 426, 0],
  io_uring_register: [427, 427, 0],
  keyctl: [250, 219, 0],
  add_key: [248, 217],
  request_key: [249, 218],
  init_module: [175, 105],
  finit_module: [313, 273],
  delete_module: [176, 106],
  kexec_load: [246, 104],
  kexec_file_load: [320, 294],
  reboot: [169, 142],
  swapon: [167, 224],
  acct: [163, 89],
  settimeofday: [164, 170],
  clock_settime: [227, 112],
  adjtimex_set: [159, 171],
  syslog: [103, 116, 10],
  quotactl: [179, 60],
  fanotify_init: [300, 262],
  open_by_handle_at: [304, 265],
  sethostname: [170, 161],
  iopl: [172, null, 3],
  ioperm: [173, null, 0, 1, 1],
  modify_ldt: [154, null, 0],
};
const REFUSED = ['EPERM', 'ENOSYS', 'EACCES'];

describe.for(await startedSandboxes())('a program in $name', cell => {
  test('is refused every system call it has no business with', async () => {
    const table = JSON.stringify(CALLS).replaceAll('null', 'None');
    const seen = await probe(
      cell,
      `
column = 0 if platform.machine() == 'x86_64' else 1
print(json.dumps({name: syscall(row[column], *row[2:]) for name, row in ${table}.items() if row[column] is not None}))`,
    );
    const wrong = Object.entries(seen).filter(([, answer]) => !REFUSED.includes(answer as string));
    expect(wrong).toEqual([]);
  });

  test('makes no namespace, by clone or by a program that tries', async () => {
    const seen = await probe(
      cell,
      `
clone, fork = (56, 57) if platform.machine() == 'x86_64' else (220, None)
SIGCHLD = 17
flags = {'user': 0x10000000, 'mount': 0x20000, 'pid': 0x20000000, 'net': 0x40000000, 'cgroup': 0x2000000}
got = {}
for name, flag in flags.items():
    ctypes.set_errno(0)
    pid = libc.syscall(ctypes.c_long(clone), ctypes.c_ulong(flag | SIGCHLD), 0, 0, 0, 0)
    if pid == 0: os._exit(0)
    got[name] = errno.errorcode.get(ctypes.get_errno()) if pid < 0 else 'made'
got['clone3'] = syscall(435, 0, 0)
run = subprocess.run(['unshare', '-Ur', 'id', '-u'], capture_output=True, text=True)
got['unshare'] = run.stdout.strip()
print(json.dumps(got))`,
    );
    expect(seen.unshare).toBe('');
    expect(seen.clone3).toBe('ENOSYS');
    for (const name of ['user', 'mount', 'pid', 'net', 'cgroup']) expect(REFUSED, name).toContain(seen[name]);
  });

  test('finds no way around the filter by another calling convention', async () => {
    const seen = await probe(
      cell,
      `
import mmap
def in_child(work):
    pid = os.fork()
    if pid == 0:
        os._exit(0 if work() else 1)
    _, end = os.waitpid(pid, 0)
    return 'done' if end == 0 else 'refused'
got = {}
if platform.machine() == 'x86_64':
    # x32: the same numbers with bit 30 set. i386: int 0x80, where unshare is 310.
    got['x32'] = in_child(lambda: libc.syscall(ctypes.c_long(272 | 0x40000000), 0x10000000) == 0)
    def old_gate():
        page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        page.write(b'\\x53\\xbb\\x00\\x00\\x00\\x10\\xb8\\x36\\x01\\x00\\x00\\xcd\\x80\\x5b\\xc3')
        function = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
        return function() == 0
    got['i386'] = in_child(old_gate)
print(json.dumps(got))`,
    );
    for (const [way, answer] of Object.entries(seen)) expect(answer, way).toBe('refused');
  });

  test('cannot push characters into a terminal', async () => {
    const seen = await probe(
      cell,
      `
import fcntl
TIOCSTI, TIOCLINUX = 0x5412, 0x541C
main, side = attempt(lambda: os.openpty()) if not isinstance(attempt(lambda: os.openpty()), str) else (-1, -1)
print(json.dumps([attempt(lambda: fcntl.ioctl(side, TIOCSTI, b'x')), attempt(lambda: fcntl.ioctl(side, TIOCLINUX, b'\\x03'))]))`,
    );
    for (const answer of seen) expect(answer).toEqual(expect.any(String));
  });
});
