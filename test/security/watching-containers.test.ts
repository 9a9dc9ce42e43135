import { describe, expect, inject, test, vi } from 'vitest';
import { startedSandboxes } from '../support/matrix.ts';
import { TestSession } from '../support/session.ts';
import { serverIsWell } from './probe.ts';

/** What many sandboxes read tells none of them what another one does, nor lets it keep another one waiting. */
const server = inject('server');

/** Watches all that sandboxes share until it is told to stop; says what it was told of, and of its own doings after. */
const WATCH = `
import ctypes, fcntl, glob, json, os, select, struct, sys, time
libc = ctypes.CDLL(None, use_errno=True)
fd = libc.inotify_init1(os.O_NONBLOCK)
OPENED_OR_READ = 0x21
python = os.path.realpath(sys.executable)
directories = ['/', '/etc', '/usr', '/usr/bin', '/usr/lib', '/usr/local/bin', '/bin', '/lib', '/usr/local/lib/codebeaker',
  os.path.dirname(os.__file__), os.path.dirname(json.__file__), *glob.glob('/usr/lib/*-linux-gnu'), *glob.glob('/usr/local/lib/codebeaker/*')]
files = [python, os.__file__, '/etc/hosts', '/etc/passwd', '/etc/ld.so.cache', '/usr/bin/sh', *glob.glob('/usr/lib/*-linux-gnu/libc.so.6')]
names = {}
for path in directories + files:
    watch = libc.inotify_add_watch(fd, path.encode(), OPENED_OR_READ)
    if watch >= 0: names[watch] = path
def told():
    seen = set()
    while select.select([fd], [], [], 0)[0]:
        data, at = os.read(fd, 65536), 0
        while at < len(data):
            watch, _, _, size = struct.unpack_from('iIII', data, at)
            seen.add(names.get(watch, '?') + ' ' + data[at + 16:at + 16 + size].rstrip(b'\\0').decode())
            at += 16 + size
    return sorted(seen)
held = []
for path in files:
    try:
        file = open(path); fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB); held.append(path)
    except OSError: pass
def wait(name):
    # Looks without opening anything.
    while not os.path.exists('/workspace/' + name): time.sleep(0.02)
def say(name, what):
    with open('/workspace/.part', 'w') as out: json.dump(what, out)
    os.rename('/workspace/.part', '/workspace/' + name)
time.sleep(0.5); told()
say('ready', {'watched': sorted(names.values()), 'held': held})
wait('stop')
others = told()
open(python).close()
say('seen', {'others': others, 'own': told()})
`;

const LOCK = `
import fcntl, json, sys
refused = []
for path in json.loads(sys.argv[1]):
    try: fcntl.flock(open(path), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError: refused.append(path)
print(json.dumps(refused))`;

const NOTICE = `
import ctypes, os
libc = ctypes.CDLL(None)
fd = libc.inotify_init1(os.O_NONBLOCK)
libc.inotify_add_watch(fd, b'/workspace', 0x100)
open('/workspace/new', 'w').close()
print(b'new' in os.read(fd, 4096))`;

describe.for(await startedSandboxes())('a program in $name', cell => {
  const open = () =>
    TestSession.open(server.wsUrl, { language: cell.language, runtimeType: cell.runtimeType });

  test('is not told what another one opens, and keeps no lock that counts for it', async () => {
    await using watcher = await open();
    await using other = await open();
    const command = { type: 'execute_shell', commandName: 'python3', args: ['-c', WATCH], background: true };
    await watcher.client.call('session.execute', { sessionId: watcher.id, command });
    const said = (path: string) =>
      vi.waitFor(async () => JSON.parse((await watcher.done('read_file', { path })).content), {
        timeout: 60_000,
        interval: 100,
      });
    const { watched, held } = await said('ready');

    const refused = await other.shell('python3', ['-c', LOCK, JSON.stringify(held)]);
    expect(JSON.parse(refused.stdout)).toEqual([]);
    const works = 'import decimal, json, socket; socket.getfqdn(); open("/etc/passwd").read()';
    await other.shell('python3', ['-c', works]);
    await other.shell('sh', ['-c', 'ls -l / /etc /usr/bin >/dev/null; cat /etc/hosts']);
    await using _third = await open();

    await watcher.done('write_file', { path: 'stop', content: '' });
    const seen = await said('seen');
    expect(seen.others).toEqual([]);
    // It would have been told: what may be watched is.
    if (watched.includes('/usr/bin')) expect(seen.own.join()).toContain('python3');
    await serverIsWell();
  });

  test('watches what is its own', async () => {
    await using session = await open();
    expect((await session.shell('python3', ['-c', NOTICE])).stdout).toBe('True\n');
  });
});
