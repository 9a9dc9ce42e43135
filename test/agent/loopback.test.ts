import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { agentFile } from './builds.ts';
import { run } from './tools.ts';

/** What the agent gives a network namespace. Needs the right to make one. */
const able = spawnSync('unshare', ['--net', 'true']).status === 0;
if (!able) console.warn('skipped: this user may not make a network namespace (unshare --net)');

/** Writes twice, reads once, as debuggers do, and counts acknowledgements that were held back in the hope of an answer. */
const ROUNDS = `
import socket, threading
server = socket.create_server(('127.0.0.1', 0))
def answer():
    peer, _ = server.accept()
    while peer.recv(2, socket.MSG_WAITALL): peer.sendall(b'.')
threading.Thread(target=answer, daemon=True).start()
client = socket.create_connection(server.getsockname())
for _ in range(60):
    client.sendall(b'a'); client.sendall(b'b')
    client.recv(1)
names, counts = [line.split() for line in open('/proc/net/netstat') if line.startswith('TcpExt')]
print(client.getsockname()[0], counts[names.index('DelayedACKs')])`;

test.skipIf(!able)('what comes over loopback is acknowledged at once', () => {
  const { stdout, stderr } = run([agentFile('shipped'), 'network', 'open', '--', 'python3', '-c', ROUNDS]);
  expect([stdout.toString(), stderr]).toEqual(['127.0.0.1 0\n', '']);
});
