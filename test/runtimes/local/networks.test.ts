import { readdirSync, readlinkSync } from 'node:fs';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { Sandbox } from '../../../src/sandbox.ts';
import { type Local, openLocal, python, run, zygoteOf } from './support.ts';

/**
 * A network in which nothing was ever done is the next sandbox's; of what a program does in its own, the next one sees nothing, whoever
 * it belongs to. A namespace is told by its number.
 */
let local: Local;
beforeAll(async () => {
  local = await openLocal();
  await using one = await local.open();
  zygote = zygoteOf(local.instance);
  await one.close();
});
afterAll(async () => {
  await local[Symbol.asyncDispose]();
});

let zygote: number;
/** How many the zygote keeps at most, and how long. */
const MOST_KEPT = 16;
const KEPT_MS = 5000;

/** Runs a program in a sandbox of its own; gives the number of its network, and what it says. */
async function once(code: string): Promise<[network: string, said: string]> {
  const sandbox = await local.open();
  try {
    const { stdout, stderr } = await python(sandbox, code);
    return [await networkOf(sandbox), stdout + stderr];
  } finally {
    await sandbox.close();
  }
}

async function networkOf(sandbox: Sandbox): Promise<string> {
  return (await run(sandbox, 'readlink', '/proc/self/ns/net')).stdout.trim();
}

/** Namespaces of networks that the zygote holds. */
function kept(): number {
  const directory = `/proc/${zygote}/fd`;
  return readdirSync(directory).filter(fd => {
    try {
      return readlinkSync(`${directory}/${fd}`).startsWith('net:');
    } catch {
      return false;
    }
  }).length;
}

/**
 * All that /proc tells of a network, without what it tells of the whole machine. The agent starts programs by a pair of sockets of this
 * network, which it may still hold when the program reads.
 */
const REPORT = `
import os, time
for name in sorted(os.listdir('/proc/self/net')):
    path = '/proc/self/net/' + name
    if name in ('protocols', 'rt_cache', 'softnet_stat', 'ptype', 'netlink') or os.path.isdir(path): continue
    try: text = open(path).read()
    except OSError as problem: text = repr(problem)
    if name.startswith('sockstat'): text = text.split('\\n')[0]
    for _ in range(200):
        if text != 'sockets: used 1': break
        time.sleep(0.01)
        text = open(path).read().split('\\n')[0]
    print(name, text)`;

test('a network that nobody has used is the next sandbox’s, with its settings, and as a new one', async () => {
  const [first, fresh] = await once(REPORT);
  const [second, again] = await once(REPORT);
  expect(second).toBe(first);
  expect(again).toBe(fresh);
  const settings = `
import socket
for name in ('net/core/somaxconn', 'net/ipv4/tcp_rmem', 'net/ipv4/tcp_max_tw_buckets'): print(open('/proc/sys/' + name).read().split())
server = socket.create_server(('127.0.0.1', 0)); socket.create_connection(server.getsockname()); print('connected')`;
  const [third, said] = await once(settings);
  expect(third).toBe(first);
  expect(said).toBe("['128']\n['4096', '16384', '262144']\n['16384']\nconnected\n");
});

test.for([
  [
    'a connection that is over',
    `import socket
server = socket.create_server(('127.0.0.1', 4567)); client = socket.create_connection(('127.0.0.1', 4567)); server.accept(); client.close()`,
  ],
  [
    'a datagram that nobody reads',
    `import socket
one = socket.socket(type=socket.SOCK_DGRAM); one.bind(('127.0.0.1', 4567)); one.sendto(b'secret', ('127.0.0.1', 4567))`,
  ],
  [
    'a packet that finds no way out',
    `import socket
try: socket.create_connection(('192.0.2.1', 80), 1)
except OSError: pass`,
  ],
  [
    'a look at a route',
    `import socket
socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).connect(('::1', 4567))`,
  ],
  [
    'sockets that only hold each other',
    `import array, socket
for _ in range(3):
    one, two = socket.socketpair()
    for end in one, two: one.sendmsg([b'x'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [end.fileno()]))])`,
  ],
  [
    'a name that processes listen at when they are killed',
    `import os, socket, time
one = socket.socket(socket.AF_UNIX); one.bind('\\0meeting'); one.listen()
two = socket.create_server(('127.0.0.1', 4567))
if os.fork() == 0:
    os.setsid(); os.close(1); os.close(2); time.sleep(60)`,
  ],
] as const)('%s is seen by no later program', async ([, code]) => {
  const [, fresh] = await once(REPORT);
  const [, said] = await once(code);
  expect(said).toBe('');
  const meet = `
import socket
for family, address in ((socket.AF_INET, ('127.0.0.1', 4567)), (socket.AF_UNIX, '\\0meeting')):
    try: socket.socket(family).connect(address); print('met')
    except OSError as error: pass`;
  for (let i = 0; i < 3; i++) expect((await once(REPORT))[1]).toBe(fresh);
  expect((await once(meet))[1]).toBe('');
});

test('what a program has used is nobody else’s', async () => {
  const [used] = await once(`import socket
try: socket.create_connection(('127.0.0.1', 4567))
except OSError: pass`);
  for (let i = 0; i < 3; i++) expect((await once(''))[0]).not.toBe(used);
});

test('nobody inside can set anything of it', async () => {
  const [network, said] = await once(`
import glob, os
def writes(path):
    try: open(path, 'w').close(); return True
    except OSError: return False
print([path for path in glob.glob('/proc/sys/net/**', recursive=True) if os.path.isfile(path) and writes(path)])`);
  expect(said).toBe('[]\n');
  expect((await once(''))[0]).toBe(network);
});

test('two that live never share one', async () => {
  await once('');
  const sandboxes = await Promise.all(Array.from({ length: 6 }, () => local.open()));
  const networks = await Promise.all(sandboxes.map(networkOf));
  expect(new Set(networks).size).toBe(sandboxes.length);
  await Promise.all(sandboxes.map(sandbox => sandbox.close()));
});

test('few are kept, and not for long', async () => {
  const sandboxes = await Promise.all(Array.from({ length: MOST_KEPT + 2 }, () => local.open()));
  await Promise.all(sandboxes.map(sandbox => sandbox.close()));
  expect(kept()).toBe(MOST_KEPT);
  await vi.waitFor(() => expect(kept()).toBe(0), { timeout: 2 * KEPT_MS, interval: 250 });
});
