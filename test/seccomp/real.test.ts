import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { assembleFilter } from '../../src/seccomp/filter.ts';
import { type Architecture, numberOf, REFUSED } from '../../src/seccomp/table.ts';

/** Real programs under the filter, in the plainest sandbox that bubblewrap makes; only its /dev/shm can be written. */
const ROOT = join(import.meta.dirname, '../..');
const hasBubblewrap = spawnSync('bwrap', ['--version']).status === 0;
if (!hasBubblewrap) console.log('skipped: bubblewrap is not installed (npm run setup)');

describe.skipIf(!hasBubblewrap)('under the filter', () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'filter-'));
    writeFileSync(join(directory, 'filter'), assembleFilter(process.arch as Architecture));
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  function run(...argv: string[]) {
    const filter = openSync(join(directory, 'filter'), 'r');
    try {
      const view = [
        '--ro-bind',
        '/',
        '/',
        '--proc',
        '/proc',
        '--dev',
        '/dev',
        '--setenv',
        'TMPDIR',
        '/dev/shm',
      ];
      const { status, stdout, stderr } = spawnSync(
        'bwrap',
        ['--unshare-all', ...view, '--seccomp', '3', '--', ...argv],
        {
          stdio: ['ignore', 'pipe', 'pipe', filter],
          encoding: 'utf8',
        },
      );
      return { status, stdout, stderr };
    } finally {
      closeSync(filter);
    }
  }

  test.for([
    ['python3', ['/usr/bin/python3', '-c', PYTHON]],
    ['bun', [join(ROOT, 'node_modules/.bin/bun'), '-e', JAVASCRIPT]],
    ['node', [join(ROOT, 'node_modules/.bin/node'), '--input-type=module', '-e', JAVASCRIPT]],
    ['deno', [join(ROOT, 'node_modules/.bin/deno'), 'eval', JAVASCRIPT]],
    [
      'sh',
      [
        '/bin/sh',
        '-c',
        'x=$(ls / | sort | head -n 1) && (sleep 0 & wait) && cp /bin/true /dev/shm/t && /dev/shm/t && sync && echo ok',
      ],
    ],
    [
      'tar and gzip',
      [
        '/bin/sh',
        '-c',
        'mkdir /dev/shm/d && echo 1 >/dev/shm/d/f && tar -C /dev/shm -czf /dev/shm/d.tgz d && tar -tzf /dev/shm/d.tgz >/dev/null && echo ok',
      ],
    ],
    [
      'find, xargs, sed, awk',
      [
        '/bin/sh',
        '-c',
        'find /etc -maxdepth 1 -type d 2>/dev/null | xargs -n 1 echo | sed s/e/E/ | awk "END { print \\"ok\\" }"',
      ],
    ],
  ] as const)('%s works', ([, argv]) => {
    expect(run(...argv)).toMatchObject({ status: 0, stdout: 'ok\n' });
  });

  test('every refused call is refused by the kernel before it looks at the arguments', () => {
    const calls = Object.entries(REFUSED).flatMap(([name, row]) => {
      const number = numberOf(row, process.arch as Architecture);
      return number === null ? [] : [[name, number] as const];
    });
    const { stdout, stderr } = run(
      '/usr/bin/python3',
      '-c',
      CALL_ALL,
      JSON.stringify(Object.fromEntries(calls)),
    );
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual(Object.fromEntries(calls.map(([name]) => [name, 'EPERM'])));
  });

  test('a call that nobody has heard of does not exist', () => {
    const { stdout } = run(
      '/usr/bin/python3',
      '-c',
      CALL_ALL,
      '{"unheard": 1999, "clone3": 435, "memfd_secret": 447}',
    );
    expect(JSON.parse(stdout)).toEqual({ unheard: 'ENOSYS', clone3: 'ENOSYS', memfd_secret: 'ENOSYS' });
  });
});

const PYTHON = `
import asyncio, concurrent.futures, mmap, multiprocessing, os, select, signal, socket, sqlite3, subprocess, tempfile, threading
threads = [threading.Thread(target=lambda: None) for _ in range(4)]
[t.start() for t in threads]; [t.join() for t in threads]
assert subprocess.run(['echo', 'hi'], capture_output=True).stdout == b'hi\\n'
with concurrent.futures.ProcessPoolExecutor(1) as pool: assert pool.submit(abs, -1).result() == 1
asyncio.run(asyncio.create_subprocess_exec('true'))
a, b = socket.socketpair(); a.send(b'x'); assert b.recv(1) == b'x'
sqlite3.connect(os.path.join(tempfile.mkdtemp(), 'db')).execute('create table t (x)')
mmap.mmap(-1, 4096).close(); os.memfd_create('m'); signal.setitimer(signal.ITIMER_REAL, 0)
os.mkfifo('/dev/shm/fifo'); os.sched_setaffinity(0, os.sched_getaffinity(0))
print('ok')`;

const JAVASCRIPT = `
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { scryptSync } from 'node:crypto';
writeFileSync('/dev/shm/file', gzipSync('x'));
const right = readFileSync('/dev/shm/file').length > 0 && execFileSync('echo', ['hi']).toString() === 'hi\\n';
await new Promise(resolve => setTimeout(resolve, 1));
scryptSync('a', 'b', 16);
console.log(right ? 'ok' : 'wrong');`;

const CALL_ALL = `
import ctypes, errno, json, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
def call(number):
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(0)] * 6)
    return 'done' if result >= 0 else errno.errorcode[ctypes.get_errno()]
print(json.dumps({name: call(number) for name, number in json.loads(sys.argv[1]).items()}))`;
