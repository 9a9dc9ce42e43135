import { describe, expect, inject, test } from 'vitest';
import { startedSandboxes } from '../support/matrix.ts';
import { TestSession } from '../support/session.ts';

/** What all sandboxes see of the system is each one's own to watch and to lock. */
const server = inject('server');

const ORDINARY_USER = process.getuid?.() === 0 ? 'False' : 'True';

/** Files, directories and devices that others see too: of each mount, each tree and each kind some. */
const PLACES = `
import ctypes, errno, fcntl, glob, json, os, struct, subprocess, sys, time
libc = ctypes.CDLL(None, use_errno=True)
OWN = ('/workspace', '/tmp', '/home/sandbox', '/dev/shm', '/dev/pts')
mounts = [path for path in (line.split()[4] for line in open('/proc/self/mountinfo')) if not path.startswith(OWN)]
patterns = ['/', '/etc', '/etc/*', '/usr', '/usr/*', '/usr/bin/env', os.path.realpath(sys.executable), os.__file__, '/lib/*/libc.so.6',
            '/usr/local/bin/*', '/usr/local/lib/*', '/usr/local/lib/codebeaker/*', '/usr/local/go', '/usr/local/go/bin/*',
            '/usr/local/lib/go-cache/*.txt', '/dev/null', '/dev/zero', '/dev/full', '/dev/*random', '/proc/meminfo', '/proc/cmdline']
# One path for each file: what covers the host's own is one and the same.
paths = sorted({path for pattern in [*mounts, *patterns] for path in glob.glob(pattern)}, reverse=True)
places = sorted({(status.st_dev, status.st_ino): path for path in paths if (status := os.stat(path))}.values())
# An ordinary user can make no device: the machine's own are mounted. An engine's volume is one for all of its containers; the service's own library lies there, and nothing else.
if ${ORDINARY_USER}: places = [path for path in places if not path.startswith('/dev')]
if os.path.exists('/.dockerenv'): places = [path for path in places if not path.startswith('/usr/local/lib/codebeaker')]
def attempt(work):
    try: return work()
    except OSError as error: return errno.errorcode[error.errno]
def opened(path):
    """For writing as well where that can be: only then a lock by fcntl keeps anybody out."""
    fd = attempt(lambda: os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY))
    return fd if isinstance(fd, int) else attempt(lambda: os.open(path, os.O_RDONLY | os.O_NONBLOCK))
def locks(fd):
    """Takes both kinds: those that were refused."""
    whole = struct.pack('hhqqi4x', fcntl.F_WRLCK, 0, 0, 0, 0)
    answers = attempt(lambda: fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)), attempt(lambda: fcntl.fcntl(fd, 37, whole) and None)
    return [answer for answer in answers if answer in ('EAGAIN', 'EACCES', 'EWOULDBLOCK')]
def use():
    """As programs use the system: what is watched is opened, read, listed and run."""
    for path in places:
        if os.path.isdir(path): attempt(lambda: os.listdir(path))
        else: attempt(lambda: os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK)))
    for program in ('env', 'python3', 'bun', 'deno', 'node', 'go'): attempt(lambda: subprocess.run([program, '--version'], capture_output=True))
def watch(paths):
    fd = libc.inotify_init1(os.O_NONBLOCK)
    return fd, {libc.inotify_add_watch(fd, path.encode(), 0xfff): path for path in paths}
def events(fd, names):
    seen = set()
    while isinstance(data := attempt(lambda: os.read(fd, 1 << 16)), bytes):
        while data:
            watched, _, _, length = struct.unpack_from('iIII', data)
            seen.add(names[watched])
            data = data[16 + length:]
    return sorted(seen)`;

const WATCH = `${PLACES}
fd, names = watch(places)
held = {path: opened(path) for path in places}
refused = {path: locks(file) for path, file in held.items() if isinstance(file, int)}
events(fd, names)
os.mkdir('/workspace/ready')
while not os.path.exists('/workspace/used'): time.sleep(0.02)
of_others = events(fd, names)
use()
seen = {'watched': len([w for w in names if w >= 0]), 'locked': len(refused), 'ofOthers': of_others, 'own': events(fd, names)}
with open('/workspace/seen', 'w') as file: json.dump(seen, file)
os.rename('/workspace/seen', '/workspace/seen.json')`;

const USE = `${PLACES}
use()
print(json.dumps({path: refused for path in places if isinstance(fd := opened(path), int) and (refused := locks(fd))}))`;

const WATCH_OWN = `${PLACES}
fd, names = watch(['/workspace'])
open('/workspace/new.txt', 'w').close()
print(events(fd, names))`;

const WATCH_OWN_IN_JAVASCRIPT = `
import { watch, writeFileSync } from 'node:fs';
const seen = Promise.withResolvers();
const watcher = watch('/workspace', (_, name) => name === 'new.js.txt' && seen.resolve(name));
setTimeout(() => writeFileSync('/workspace/new.js.txt', ''), 100);
console.log(await seen.promise);
watcher.close();`;

/** A forked Python maps an executable that its interpreter had opened outside. */
const WATCH_EXECUTABLE = `${PLACES}
fd, names = watch(['/proc/self/exe', '/proc/self/root', '/proc/self/cwd', '/proc/self/ns/mnt'])
print(len([w for w in names if w >= 0]))`;

/** Waits for a file in a session and gives its text. */
async function appears(session: TestSession, path: string): Promise<void> {
  const names = async () => {
    const { entries } = await session.done('list_directory', { path: '.' });
    return entries.map((entry: { name: string }) => entry.name);
  };
  await expect.poll(names, { timeout: 60_000 }).toContain(path);
}

describe.for(await startedSandboxes())('in $name', cell => {
  const open = () =>
    TestSession.open(server.wsUrl, { language: cell.language, runtimeType: cell.runtimeType });

  test('two sandboxes neither see what the other opens nor keep it from locking anything', async () => {
    await using one = await open();
    await using two = await open();
    const watching = { commandName: 'python3', args: ['-c', WATCH], background: true };
    await one.done('execute_shell', watching);
    await appears(one, 'ready');
    const used = await two.shell('python3', ['-c', USE]);
    expect(JSON.parse(used.stdout || used.stderr)).toEqual({});
    await one.done('write_file', { path: 'used', content: '' });
    await appears(one, 'seen.json');
    const seen = JSON.parse((await one.done('read_file', { path: 'seen.json' })).content);
    expect(seen.ofOthers).toEqual([]);
    // It does watch and lock, and is told what it does itself.
    expect(seen.watched).toBeGreaterThan(20);
    expect(seen.locked).toBeGreaterThan(20);
    expect(seen.own).toEqual(expect.arrayContaining(['/etc/passwd', '/dev/null', '/usr/bin/env', '/usr']));
  });

  test('a program watches its own files', async () => {
    await using session = await open();
    expect((await session.shell('python3', ['-c', WATCH_OWN])).stdout).toBe("['/workspace']\n");
    if (cell.dialect === 'python') return;
    const { stdout, stderr } = await session.done('execute_code', { code: WATCH_OWN_IN_JAVASCRIPT });
    expect(stdout, stderr).toBe('new.js.txt\n');
  });
});

test('a Python that was forked sees nothing of its siblings through what it has from its parent', async () => {
  const python = { language: 'python', runtimeType: 'Python' };
  await using one = await TestSession.open(server.wsUrl, python);
  await using two = await TestSession.open(server.wsUrl, python);
  expect(await one.prints(WATCH_EXECUTABLE)).toBe('4\n');
  await two.prints(`${PLACES}\nuse()\nimport sqlite3, decimal, asyncio`);
  await using three = await TestSession.open(server.wsUrl, python);
  expect(await three.prints('print(1)')).toBe('1\n');
  expect(await one.prints('print(events(fd, names))')).toBe('[]\n');
});
