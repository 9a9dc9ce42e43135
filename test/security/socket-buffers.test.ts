import { readFileSync } from 'node:fs';
import { describe, expect, inject, test } from 'vitest';
import { runtimes } from '../support/matrix.ts';
import { TestSession } from '../support/session.ts';
import { serverIsWell } from './probe.ts';

/** What lies unread in sockets is a sandbox's own memory, seen from outside while a program tries to hold more. */
const server = inject('server');
const MB = 1024 * 1024;
const PAGE = 4096;
const LIMIT_MB = 128;

/** Fills as many sockets as several processes may open, and waits. */
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
time.sleep(3)
`;

/** All that TCP and UDP hold on this machine (net/ipv4/proc.c, `mem`), whatever the namespace. */
function heldBytes(): number {
  const pages = readFileSync('/proc/net/sockstat', 'utf8').matchAll(/^(?:TCP|UDP): .*mem (\d+)$/gm);
  return [...pages].reduce((sum, [, count]) => sum + Number(count) * PAGE, 0);
}

describe.for(await runtimes())('a program in $name', cell => {
  test.for(['tcp', 'udp', 'unix'])('holds no more than its memory in %s sockets', async kind => {
    await using session = await TestSession.open(server.wsUrl, {
      language: cell.language,
      runtimeType: cell.runtimeType,
      memoryLimitMB: LIMIT_MB,
    });
    const before = heldBytes();
    let most = 0;
    const look = setInterval(() => {
      most = Math.max(most, heldBytes() - before);
    }, 20);
    try {
      await session.command('execute_shell', {
        commandName: 'python3',
        args: ['-c', FILL, kind],
        timeout: 30,
      });
    } finally {
      clearInterval(look);
    }
    expect(most).toBeLessThan(LIMIT_MB * MB);
    await serverIsWell();
  });
});
