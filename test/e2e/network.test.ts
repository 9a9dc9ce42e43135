import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttps } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FakeInternet } from '../network/fake-internet.ts';
import { TestCertificate } from '../network/test-certificate.ts';
import { http, runOnce } from '../support/rest-client.ts';
import type { RpcError } from '../support/rpc-client.ts';
import { TestSession } from '../support/session.ts';
import { ALL_BUT_GO, type RunningServer, startServer } from '../support/start-server.ts';

/** Programs with a network, in every kind of sandbox; the internet is this machine's own, by names that a resolver of the test's knows. */
let internet: FakeInternet;
let certificate: TestCertificate;
let server: RunningServer;
let web: number;
let secure: number;
let echo: number;

beforeAll(async () => {
  internet = await FakeInternet.start();
  certificate = new TestCertificate('web.test', 'other.test');
  web = await internet.http();
  echo = await internet.echo('hello\n');
  const { key, cert } = certificate;
  secure = await internet.serve(
    createHttps({ key, cert }, (request, response) => response.end(`secure ${request.headers.host}`)),
  );
  for (const name of ['web.test', 'other.test']) internet.names.set(name, '127.0.0.1');
  server = await startServer({ env: { ...settings(), CODEBEAKER_RUNTIMES: ALL_BUT_GO } });
});
afterAll(async () => {
  await server.stop();
  certificate[Symbol.dispose]();
  await internet[Symbol.asyncDispose]();
});

const settings = () => ({
  CODEBEAKER_NETWORK: 'public,!forbidden.test:1-65535',
  CODEBEAKER_NETWORK_PRIVATE: [web, secure, echo].map(port => `127.0.0.1:${port}`).join(),
  CODEBEAKER_NETWORK_RESOLVERS: internet.resolver,
  CODEBEAKER_CA_FILE: certificate.file,
});
const allowed = () => ({ allow: [`web.test:${web}`, `web.test:${secure}`] });

const PROGRAMS = {
  python: () => `
import socket, time, urllib.request as u
for url in ('http://web.test:${web}/x', 'https://web.test:${secure}/'): print(u.urlopen(url).read().decode())
begun = time.monotonic()
for reach in (lambda: socket.getaddrinfo('other.test', 80), lambda: socket.create_connection(('192.0.2.1', ${web}))):
    try: print('reached', reach())
    except OSError as error: print(type(error).__name__)
print(time.monotonic() - begun < 2)
import os; print([name for name in os.environ if 'proxy' in name.lower()])`,
  // It says that it is a module: Deno guesses wrong of this one.
  javascript: () => `
export {};
for (const url of ['http://web.test:${web}/x', 'https://web.test:${secure}/']) console.log(await (await fetch(url)).text());
for (const url of ['http://other.test:${web}/', 'http://192.0.2.1:${web}/']) {
  await fetch(url).then(() => console.log('reached'), error => console.log('refused'));
}`,
} as const;

const PRINTS = {
  python: () => `GET /x web.test:${web} \nsecure web.test:${secure}\ngaierror\nOSError\nTrue\n[]\n`,
  javascript: () => `GET /x web.test:${web} \nsecure web.test:${secure}\nrefused\nrefused\n`,
} as const;

test.for([
  ['python', 'Python'],
  ['javascript', 'Bun'],
  ['javascript', 'Deno'],
  ['javascript', 'NodeJs'],
  ['python', 'Docker'],
  ['javascript', 'Docker'],
] as const)(
  '%s on %s reaches what is allowed, without a word about it, and nothing else',
  async ([language, runtimeType]) => {
    const { body } = await http(`${server.url}/api/language/${language}`);
    const found = body.runtimes.find(
      (runtime: { runtimeType: string }) => runtime.runtimeType === runtimeType,
    );
    // Where there is no engine there are no containers.
    if (!found?.available) return expect(runtimeType).toBe('Docker');
    const before = internet.asked.length;
    const code = PROGRAMS[language]();
    const end = await runOnce(server.url, { language, runtimeType, code, config: { network: allowed() } });
    expect(end, end.stderr).toMatchObject({ outcome: 'ok', stdout: PRINTS[language]() });
    expect(end.usage.network).toMatchObject({ connections: 2, denied: expect.any(Number) });
    expect(end.usage.network.bytesIn).toBeGreaterThan(1000);
    expect(new Set(internet.asked.slice(before))).toEqual(new Set(['web.test']));
  },
);

test('without a word about a network there is none', async () => {
  const code = `import socket
try: print(socket.create_connection(('web.test', ${web})))
except OSError as error: print(type(error).__name__)
try: socket.create_server(('127.0.0.1', 80))
except OSError as error: print(type(error).__name__)
import os; print(os.environ.get('SSL_CERT_FILE'))`;
  const end = await runOnce(server.url, { language: 'python', code });
  expect(end).toMatchObject({ stdout: 'gaierror\nPermissionError\nNone\n' });
  expect(end.usage.network).toBeUndefined();
});

describe('sandboxes that bubblewrap starts are no different', () => {
  let other: RunningServer;
  beforeAll(async () => {
    const env = { ...settings(), CODEBEAKER_FORK: 'off', CODEBEAKER_RUNTIMES: 'Python' };
    other = await startServer({ env });
  });
  afterAll(() => other.stop());

  test('with a network', async () => {
    const config = { network: { allow: [...allowed().allow, `192.0.2.0/24:${web}`] } };
    const end = await runOnce(other.url, { language: 'python', code: PROGRAMS.python(), config });
    expect(end, end.stderr).toMatchObject({ outcome: 'ok' });
    // Its rules lead to the address, which is no public one: it is there, and hangs up.
    expect(end.stdout).toMatch(/^GET \/x web.test:\d+ \nsecure web.test:\d+\ngaierror\nreached <socket/);
    expect(end.usage.network).toMatchObject({ connections: 2, denied: 2 });
  });

  /** Python's are tried where a server goes on with what another one left (packages.test.ts). */
  test('with packages, which one installs and another has at once', async () => {
    const npm = { packages: ['is-odd@3.0.1'], manager: 'npm' };
    const code = `console.log(require('is-odd')(3));
try { require('fs').readdirSync('/packages'); } catch (error) { console.log(error.code); }
try { require('fs').writeFileSync(require.resolve('is-odd'), ''); } catch (error) { console.log(error.code); }`;
    for (const cached of [false, true]) {
      await using session = await TestSession.open(other.wsUrl, { language: 'python' });
      expect(await session.done('install_packages', npm)).toMatchObject({ cached });
      expect(await session.prints(code, { language: 'javascript' })).toBe('true\nEACCES\nEROFS\n');
    }
  });
});

/** Clients by their program, and what has them ask for an address. */
const CLIENTS: readonly (readonly [program: string, line: (address: string) => string])[] = [
  ['curl', address => `curl -sS ${address}`],
  ['wget', address => `wget -qO- ${address}`],
  ['git', address => `git ls-remote ${address}`],
  ['npm', address => `npm view left-pad --registry ${address}`],
  ['pip', address => `pip download --index-url ${address} --trusted-host web.test left-pad`],
  ['bun', address => `cd $(mktemp -d) && bun add left-pad --registry ${address}`],
  ['bun', address => `bun -e 'await fetch("${address}")'`],
  ['deno', address => `deno run --allow-net ${address}.ts`],
  ['deno', address => `deno eval 'await fetch("${address}")'`],
  ['python3', address => `python3 -c 'import urllib.request as u; u.urlopen("${address}")'`],
  [
    'python3',
    address => `python3 -c '
import asyncio, urllib.parse as p
async def main(at):
    reader, writer = await asyncio.open_connection(at.hostname, at.port)
    writer.write(f"GET {at.path} HTTP/1.1\\r\\nHost: {at.netloc}\\r\\nConnection: close\\r\\n\\r\\n".encode())
    assert await reader.read()
asyncio.run(main(p.urlsplit("${address}")))'`,
  ],
  ['node', address => `node -e 'fetch("${address}")'`],
  // By c-ares, which asks resolvers itself.
  [
    'node',
    address => `node -e '
const { host, hostname, port, pathname } = new URL("${address}");
require("dns").resolve4(hostname, (error, found) => {
  if (error) throw error;
  require("http").get({ host: found[0], port, path: pathname, headers: { host } }, answer => answer.resume());
})'`,
  ],
  ['/workspace/get', address => `/workspace/get ${address}`],
];

/** A program that resolves names by Go's own code. */
function goProgram(): Buffer | null {
  const directory = mkdtempSync(join(tmpdir(), 'codebeaker-go-'));
  try {
    const code = `package main
import ("net/http"; "os")
func main() { if _, err := http.Get(os.Args[1]); err != nil { panic(err) } }`;
    writeFileSync(join(directory, 'get.go'), code);
    const env = { ...process.env, CGO_ENABLED: '0', GO111MODULE: 'off' };
    const { error } = spawnSync('go', ['build', 'get.go'], { cwd: directory, env, stdio: 'ignore' });
    return error ? null : readFileSync(join(directory, 'get'));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

test('every client that there is reaches what is allowed by itself, and fails soon where it may not', async () => {
  await using session = await TestSession.open(server.wsUrl, { language: 'python', network: allowed() });
  const program = goProgram();
  const content = program?.toString('base64') ?? '';
  await session.done('write_file', { path: 'get', content, encoding: 'base64' });
  const names = [...new Set(CLIENTS.map(([name]) => name))].join(' ');
  const found = `chmod +x get; for name in ${names}; do [ -s $(command -v $name) ] && echo $name; done; exit 0`;
  const present: string[] = (await session.shell('sh', ['-c', found])).stdout.split('\n');
  expect(present).toEqual(expect.arrayContaining(['python3', 'node', 'bun', 'deno', 'npm']));
  const before = internet.asked.length;
  for (const [i, [name, line]] of CLIENTS.entries()) {
    if (!present.includes(name)) continue;
    const shell = (host: string) =>
      session.shell('sh', ['-c', line(`http://${host}:${web}/client-${i}-`)], { timeout: 30 });
    const { stderr } = await shell('web.test');
    const asked = internet.requested.some(each => each.startsWith(`web.test:${web}/client-${i}-`));
    expect({ name, asked }, stderr).toEqual({ name, asked: true });
    const { outcome } = await shell('other.test');
    expect({ name, outcome }).toEqual({ name, outcome: 'nonzero_exit' });
  }
  expect(new Set(internet.asked.slice(before))).toEqual(new Set(['web.test']));
});

describe('a session', () => {
  const GET = `import urllib.request as u
def get(url):
    try: print(u.urlopen(url).read().decode())
    except OSError as error: print(type(error).__name__)
`;

  test('is told what it is refused, and its rules change while it goes on', async () => {
    await using session = await TestSession.open(server.wsUrl, { language: 'python', network: allowed() });
    expect(session.info.config).toMatchObject({ networkEnabled: true, network: allowed() });
    await session.prints(GET);
    const code = `get('http://other.test:${web}/')`;
    const run = await session.command('execute_code', { code }, { stream: true });
    expect(run.result.usage.network).toEqual({ bytesIn: 0, bytesOut: 0, connections: 0, denied: 1 });
    const told = session.client.notifications.filter(({ method }) => method === 'network.denied');
    expect(told.map(({ params }) => params)).toMatchObject([
      { name: 'other.test', port: null, reason: 'not_allowed', sessionId: session.id },
    ]);
    const network = { allow: [`other.test:${web}`] };
    const changed = await session.client.call('session.update', { sessionId: session.id, network });
    expect(changed.config.network).toEqual(network);
    expect(await session.prints(`get('http://other.test:${web}/'); get('http://web.test:${web}/')`)).toBe(
      `GET / other.test:${web} \nURLError\n`,
    );
  });

  test('keeps its network when a program ends the relay, and when the egress process is ended', async () => {
    await using session = await TestSession.open(server.wsUrl, { language: 'python', network: allowed() });
    const reaches = async () => {
      const code = `${GET}\nget('http://web.test:${web}/')`;
      await expect.poll(() => session.prints(code)).toBe(`GET / web.test:${web} \n`);
    };
    await reaches();
    await session.shell('sh', ['-c', 'kill -9 -1']);
    await reaches();
    const pid = egressOf(server.pid);
    process.kill(pid, 'SIGKILL');
    expect((await http(`${server.url}/health/live`)).status).toBe(200);
    await reaches();
    expect(egressOf(server.pid)).not.toBe(pid);
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    expect(metrics).toContain('codebeaker_confined_processes_lost_total{process="egress"} 1\n');
    expect(metrics).toMatch(/codebeaker_network_connections_total [1-9]/);
    expect(metrics).toMatch(/codebeaker_network_denied_total\{reason="not_allowed"\} \d/);
  });

  test('is refused rules that it can’t have, by their names, and keeps those it has', async () => {
    await using session = await TestSession.open(server.wsUrl, { language: 'python', network: allowed() });
    const update = (network: object) =>
      session.client.call('session.update', { sessionId: session.id, network }).then(
        () => null,
        (error: RpcError) => `${error.data.code} ${error.message}`,
      );
    expect(await update({ allow: ['a.test', 'http://b.test'] })).toMatch(
      /^VALIDATION_ERROR network\.allow\[1\]: "http/,
    );
    expect(await update({ allow: [], deny: ['*.*'] })).toMatch(/^VALIDATION_ERROR network\.deny\[0\]/);
    expect(await update({ allow: ['10.0.0.0/8'] })).toMatch(
      /^NOT_SUPPORTED network\.allow: 10\.0\.0\.0\/8 can only/,
    );
    expect(await update({ allow: ['a.test:1-100'] })).toMatch(
      /^VALIDATION_ERROR network\.allow: names more than 64/,
    );
    await session.prints(`import socket; held = socket.create_server(('0.0.0.0', 8099))`);
    expect(await update({ allow: ['web.test:8099'] })).toBe(
      "CONFLICT network: port 8099 can't be listened on: a program of the sandbox holds it",
    );
    expect(await session.prints(`${GET}\nget('http://web.test:${web}/')`)).toBe(`GET / web.test:${web} \n`);
  });

  test('that opens connections by the thousand and says nothing keeps no other from theirs', async () => {
    await using one = await TestSession.open(server.wsUrl, { language: 'python', network: allowed() });
    await using two = await TestSession.open(server.wsUrl, { language: 'python', network: allowed() });
    const code = `import socket
address, held = socket.gethostbyname('web.test'), []
try:
    for _ in range(10000):
        held.append(socket.socket()); held[-1].setblocking(False); held[-1].connect_ex((address, ${web}))
except OSError: pass
print(len(held) > 500)`;
    expect(await one.prints(code)).toBe('True\n');
    const reaches = `${GET}\nget('http://web.test:${web}/')`;
    expect(await two.prints(reaches)).toBe(`GET / web.test:${web} \n`);
    await one.prints('held.clear()');
    await expect.poll(() => one.prints(reaches), { timeout: 20_000 }).toBe(`GET / web.test:${web} \n`);
  });

  test('whose program answers in the relay’s place deceives itself alone, and has its network back once that gives way', async () => {
    await using one = await TestSession.open(server.wsUrl, { language: 'python', network: allowed() });
    await using two = await TestSession.open(server.wsUrl, { language: 'python', network: allowed() });
    const takes = `import os, signal, socket, threading
names = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
def taken(take):
    try:
        for pid in filter(str.isdigit, os.listdir('/proc')):
            if open(f'/proc/{pid}/cmdline', 'rb').read().split(b'\\0')[1:2] == [b'relay']: os.kill(int(pid), signal.SIGKILL)
        take()
    except OSError: return False
    return True
while not taken(lambda: names.bind(('127.0.0.1', 53))): pass
held = []
while not taken(lambda: held.append(socket.create_server(('0.0.0.0', ${web})))): pass
def answer():
    question, asker = names.recvfrom(512)
    address = b'\\xc0\\x0c\\0\\1\\0\\1\\0\\0\\0\\x3c\\0\\4' + socket.inet_aton('127.64.0.1')
    names.sendto(question[:2] + b'\\x81\\x80\\0\\1\\0\\1\\0\\0\\0\\0' + question[12:] + address, asker)
threading.Thread(target=answer, daemon=True).start()
client = socket.create_connection((socket.gethostbyname('other.test'), ${web}))
print(held[0].accept()[1] == client.getsockname())`;
    const before = internet.asked.length;
    expect(await one.prints(takes)).toBe('True\n');
    const reaches = `${GET}\nget('http://web.test:${web}/')`;
    expect(await two.prints(reaches)).toBe(`GET / web.test:${web} \n`);
    await one.prints('client.close(); names.close(); held.pop().close()');
    await expect.poll(() => one.prints(reaches), { timeout: 20_000 }).toBe(`GET / web.test:${web} \n`);
    expect(new Set(internet.asked.slice(before))).toEqual(new Set(['web.test']));
  });

  test('answers nobody’s names but its own, whatever listens inside', async () => {
    await using one = await TestSession.open(server.wsUrl, { language: 'python', network: allowed() });
    await using two = await TestSession.open(server.wsUrl, { language: 'python' });
    const code = `import socket
address = socket.gethostbyname('web.test'); print(address)
try: socket.create_connection(('127.64.0.99', ${web})).recv(1); print('end')
except OSError as error: print(type(error).__name__)`;
    expect(await one.prints(code)).toBe('127.64.0.1\nConnectionResetError\n');
    const meet = `import socket
for port in (53, ${web}):
    try: socket.create_connection(('127.64.0.1', port)); print('met')
    except OSError as error: print(type(error).__name__)`;
    expect(await two.prints(meet)).toBe('ConnectionRefusedError\nConnectionRefusedError\n');
  });
});

test('what the operator forbids stays forbidden, and a request that contradicts itself is refused', async () => {
  const refused = (config: object) =>
    http(`${server.url}/api/execution`, 'POST', { language: 'python', code: '1', config });
  const both = await refused({ disableNetwork: true, network: { allow: [] } });
  expect(both).toMatchObject({
    status: 400,
    body: { message: 'config.disableNetwork: contradicts config.network' },
  });
  const code = `import socket
try: socket.getaddrinfo('forbidden.test', 80)
except OSError as error: print(type(error).__name__)`;
  const config = { network: { allow: ['*', 'forbidden.test'] } };
  expect(await runOnce(server.url, { language: 'python', code, config })).toMatchObject({
    stdout: 'gaierror\n',
  });
});

/** The egress process of a server. */
function egressOf(server: number): number {
  const found = readdirSync('/proc').find(pid => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const parent = /^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
      return (
        Number(parent) === server &&
        /egress\/main\.(ts|mjs)/.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8'))
      );
    } catch {
      return false;
    }
  });
  return Number(found);
}
