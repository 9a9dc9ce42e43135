import { readFileSync } from 'node:fs';
import { expect, inject, test } from 'vitest';
import { startedSandboxes } from '../support/matrix.ts';
import { TestSession } from '../support/session.ts';
import { serverIsWell } from './probe.ts';

/** What lies unread in sockets is a sandbox's own memory, seen from outside while a program tries to hold more. */
const server = inject('server');
const MB = 1024 * 1024;
const PAGE = 4096;
const LIMIT_MB = 128;

/** Fills as many sockets as several processes may open, and ends a little after the last one is full or dead. */
const FILL = `
import os, socket, sys, time
kind = sys.argv[1]
def fill(s, data):
    try:
        while True: s.send(data)
    except OSError: pass
def pair():
    if kind == 'unix': return socket.socketpair()
    if kind == 'udp':
        to = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); to.bind(('127.0.0.1', 0))
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.connect(to.getsockname())
        return s, to
    s = socket.create_connection(server.getsockname())
    return s, server.accept()[0]
server = socket.create_server(('127.0.0.1', 0))
parent, (busy, filling) = os.getpid(), os.pipe()
for _ in range(5):
    if os.fork() == 0: server = socket.create_server(('127.0.0.1', 0)); break
held = []
try:
    for _ in range(480):
        ends = pair(); held.append(ends)
        for s in ends:
            for option in (socket.SO_SNDBUF, socket.SO_RCVBUF): s.setsockopt(socket.SOL_SOCKET, option, 1 << 20)
            s.setblocking(False)
        # A datagram too many is dropped and not refused.
        if kind == 'udp': [ends[0].send(b'x' * 30_000) for _ in range(20)]
        else: [fill(s, b'x' * 30_000) for s in ends]
except OSError: pass
os.close(filling)
if os.getpid() != parent: time.sleep(60)
while os.read(busy, 1): pass
time.sleep(0.3)
`;

/** All that TCP and UDP hold on this machine (net/ipv4/proc.c, `mem`), whatever the namespace. */
function heldBytes(): number {
  const pages = readFileSync('/proc/net/sockstat', 'utf8').matchAll(/^(?:TCP|UDP): .*mem (\d+)$/gm);
  return [...pages].reduce((sum, [, count]) => sum + Number(count) * PAGE, 0);
}

/** Each is filled in a session of its own. */
const KINDS = ['tcp', 'udp', 'unix'];

test.for(await startedSandboxes())(
  'programs in $name hold no more than their memory in sockets of all kinds',
  async cell => {
    const { language, runtimeType } = cell;
    const most = await heldMostWhile(() =>
      Promise.all(
        KINDS.map(async kind => {
          await using session = await TestSession.open(server.wsUrl, {
            language,
            runtimeType,
            memoryLimitMB: LIMIT_MB,
          });
          await session.command('execute_shell', {
            commandName: 'python3',
            args: ['-c', FILL, kind],
            timeout: 30,
          });
        }),
      ),
    );
    // They do fill them, and together hold less than one may.
    expect(most).toBeGreaterThan((LIMIT_MB * MB) / 4);
    expect(most).toBeLessThan(LIMIT_MB * MB);
    await serverIsWell();
  },
);

test('what lies unread in the sockets of many processes counts against their sandbox and not against the machine', async () => {
  await using session = await TestSession.open(server.wsUrl, { language: 'python', memoryLimitMB: 128 });
  const stuff = `
import os, socket, time
to = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
busy, filling = os.pipe()
for child in range(20):
    if os.fork() == 0:
        held = []
        try:
            while len(held) < 200:
                held.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
                held[-1].bind(('127.0.0.1', 0))
                for _ in range(8): to.sendto(b'x' * 30_000, held[-1].getsockname())
        except OSError: pass
        os.close(filling); time.sleep(60)
os.close(filling)
while os.read(busy, 1): pass
time.sleep(0.3)`;
  const most = await heldMostWhile(() =>
    session.command('execute_shell', { commandName: 'python3', args: ['-c', stuff], timeout: 15 }),
  );
  // All that these sockets would hold is 600 MB.
  expect(most).toBeGreaterThan(4 * MB);
  expect(most).toBeLessThan(160 * MB);
});

/** How much more this machine's sockets held at the most. */
async function heldMostWhile(work: () => Promise<unknown>): Promise<number> {
  const before = heldBytes();
  let most = 0;
  const look = setInterval(() => {
    most = Math.max(most, heldBytes() - before);
  }, 20);
  await work().finally(() => clearInterval(look));
  return most;
}
