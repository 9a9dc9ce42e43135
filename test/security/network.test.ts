import { networkInterfaces } from 'node:os';
import { describe, expect, inject, test } from 'vitest';
import { startedSandboxes } from '../support/matrix.ts';
import { runOnce } from '../support/rest-client.ts';
import { TestSession } from '../support/session.ts';
import { probe } from './probe.ts';

/** There is no network: not the service, not the machine, not its neighbours, not a name. */
const server = inject('server');
const port = Number(new URL(server.url).port);
const addresses = Object.values(networkInterfaces())
  .flat()
  .map(address => address!.address.split('%')[0]!);

describe.for(await startedSandboxes())('a program in $name', cell => {
  test('reaches no address', async () => {
    // The machine's own addresses, a cloud's metadata service, and an address that nobody has (RFC 5737).
    const targets = [...addresses, '127.0.0.1', '::1', '169.254.169.254', '192.0.2.1'];
    const seen = await probe(
      cell,
      `
def reach(address, port, kind):
    family = socket.AF_INET6 if ':' in address else socket.AF_INET
    with socket.socket(family, kind) as s:
        s.settimeout(2)
        s.connect((address, port))
        if kind == socket.SOCK_DGRAM: s.send(b'x'); s.recv(1)
        return 'reached'
tries = [(a, p, k) for a in ${JSON.stringify(targets)} for p in (${port}, 80, 53) for k in (socket.SOCK_STREAM, socket.SOCK_DGRAM)]
print(json.dumps([[a, p, r] for a, p, k in tries for r in [attempt(lambda: reach(a, p, k))] if r == 'reached']))`,
    );
    expect(seen).toEqual([]);
  });

  test('resolves no name and has no interface but its own loopback', async () => {
    const seen = await probe(
      cell,
      `
print(json.dumps({
  'names': [n for n in ('localhost.localdomain', 'example.com', 'metadata.google.internal')
            if not isinstance(attempt(lambda: socket.getaddrinfo(n, 80)), str) and n != 'localhost.localdomain'],
  'interfaces': [line.split(':')[0].strip() for line in text('/proc/net/dev').splitlines()[2:]],
  'routes': text('/proc/net/route').splitlines()[1:],
  'unix': [line for line in text('/proc/net/unix').splitlines() if '@' in line]}))`,
    );
    expect(seen.names).toEqual([]);
    expect(['lo']).toEqual(expect.arrayContaining(seen.interfaces));
    expect(seen.routes).toEqual([]);
    expect(seen.unix).toEqual([]);
  });

  test('makes no socket of a kind that leads out of its namespace', async () => {
    const seen = await probe(
      cell,
      `
kinds = {'packet': (17, socket.SOCK_RAW), 'vsock': (40, socket.SOCK_STREAM), 'alg': (38, socket.SOCK_SEQPACKET),
         'raw': (socket.AF_INET, socket.SOCK_RAW), 'bluetooth': (31, socket.SOCK_RAW), 'xdp': (44, socket.SOCK_RAW),
         'tipc': (30, socket.SOCK_RDM), 'rds': (21, socket.SOCK_SEQPACKET)}
print(json.dumps({name: attempt(lambda: socket.socket(*kind).family) for name, kind in kinds.items()}))`,
    );
    for (const [kind, answer] of Object.entries(seen)) expect(answer, kind).toEqual(expect.any(String));
  });
});

test('JavaScript’s fetch, WebSocket and Bun.connect reach nothing either', async () => {
  const code = `
const reached = [];
for (const url of ['${server.url}/health', 'http://169.254.169.254/', 'http://example.com/']) {
  await fetch(url, { signal: AbortSignal.timeout(3000) }).then(() => reached.push(url), () => {});
}
await new Promise(resolve => {
  const socket = new WebSocket('${server.wsUrl}');
  socket.onopen = () => { reached.push('websocket'); resolve(); };
  socket.onerror = socket.onclose = resolve;
});
console.log(JSON.stringify(reached));
process.exit(0);`;
  const end = await runOnce(server.url, { language: 'javascript', code });
  expect(end, end.stderr).toMatchObject({ outcome: 'ok', stdout: '[]\n' });
});

test('two sandboxes cannot meet on loopback', async () => {
  await using one = await TestSession.open(server.wsUrl, { language: 'python' });
  await using two = await TestSession.open(server.wsUrl, { language: 'python' });
  const listen = `
import socket
s = socket.create_server(('127.0.0.1', 45678)); u = socket.socket(socket.AF_UNIX); u.bind('\\0meeting'); u.listen()
socket.create_connection(('127.0.0.1', 45678)).close(); print('listening')`;
  expect(await one.prints(listen)).toBe('listening\n');
  const meet = `
import socket
for family, address in ((socket.AF_INET, ('127.0.0.1', 45678)), (socket.AF_UNIX, '\\0meeting')):
    try: socket.socket(family).connect(address); print('met')
    except OSError as error: print(type(error).__name__)`;
  expect(await two.prints(meet)).toBe('ConnectionRefusedError\nConnectionRefusedError\n');
});
