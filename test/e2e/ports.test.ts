import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { Sandbox } from 'e2b';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { e2bAt } from '../support/e2b.ts';
import { RpcClient } from '../support/rpc-client.ts';
import { type RunningServer, startServer } from '../support/start-server.ts';

/** Who may come to a session's ports, and what of it reaches a program, on a server with keys. */
const KEYS = ['key-of-one', 'key-of-other'] as const;
const [ONE, OTHER] = KEYS;
let server: RunningServer;
let client: RpcClient;
let sessionId: string;

/** Tells the head that it was asked with, and keeps what is asked for /held. */
const TELLS = `
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_): pass
    def do_GET(self):
        self.send_response(200)
        self.send_header('Set-Cookie', 'a=1; Domain=localhost')
        self.end_headers()
        self.wfile.write(str(self.headers).encode())
        if self.path == '/held':
            self.wfile.flush()
            threading.Event().wait()
held = ThreadingHTTPServer(('127.0.0.1', 8000), Handler)
held.daemon_threads = True
threading.Thread(target=held.serve_forever, daemon=True).start()
`;

beforeAll(async () => {
  const env = { CODEBEAKER_RUNTIMES: 'Python', CODEBEAKER_API_KEYS: KEYS.join(), LOG_LEVEL: 'trace' };
  server = await startServer({ env });
  client = await RpcClient.connect(server.wsUrl, { headers: { authorization: `Bearer ${ONE}` } });
  ({ sessionId } = await client.call('session.create', { language: 'python' }));
  const command = { type: 'execute_code', code: TELLS };
  expect(await client.call('session.execute', { sessionId, command })).toMatchObject({ success: true });
});
afterAll(async () => {
  await client.close();
  await server.stop();
});

const expose = (fields: object = {}): Promise<{ url: string; token: string }> =>
  client.call('session.expose', { sessionId, port: 8000, ...fields });
const unexpose = () => client.call('session.unexpose', { sessionId, port: 8000 });

/** Asks the server by a name, whether the name is known here or not. */
async function ask(url: string, headers: Record<string, string> = {}): Promise<IncomingMessage> {
  const { port } = new URL(server.url);
  const { host, pathname: path } = new URL(url);
  const sent = request({ host: '127.0.0.1', port, path, headers: { host, ...headers }, agent: false });
  sent.on('error', () => {});
  sent.end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  response.on('error', () => {});
  return response;
}
const statusOf = async (url: string, headers?: Record<string, string>) => {
  const response = await ask(url, headers);
  response.destroy();
  return response.statusCode;
};

test('a port that is not public is for who has its token, and for the owner of its session', async () => {
  const { url, token } = await expose();
  const token_ = { 'x-codebeaker-port-token': token };
  expect(await statusOf(url)).toBe(401);
  expect(await statusOf(url, { 'x-codebeaker-port-token': `${token.slice(0, -1)}x` })).toBe(401);
  expect(await statusOf(url, { authorization: `Bearer ${OTHER}` })).toBe(401);
  expect(await statusOf(url, { authorization: `Bearer ${ONE}` })).toBe(200);
  expect(await statusOf(url, { 'x-api-key': ONE })).toBe(200);
  expect(await statusOf(url, token_)).toBe(200);
  expect(await expose({ public: true })).toEqual({ port: 8000, url, token });
  expect(await statusOf(url)).toBe(200);
  await unexpose();
  expect(await statusOf(url, token_)).toBe(404);
  const log = server.log();
  expect(log).toContain('session.expose');
  for (const secret of [token, new URL(url).hostname.split('.')[0]!, ...KEYS])
    expect(log).not.toContain(secret);
});

test('who tries tokens and keys is told to wait, at that port alone, and holds up nobody who has either', async () => {
  const { url, token } = await expose();
  const other = await client.call('session.expose', { sessionId, port: 8001 });
  const rights = [{ 'x-codebeaker-port-token': token }, { 'x-api-key': ONE }];
  const tries = Array.from({ length: 300 }, (_, i) =>
    statusOf(url, i % 2 ? { 'x-api-key': `key-${i}` } : { 'x-codebeaker-port-token': `${i}` }),
  );
  const [statuses, whole] = await Promise.all([
    Promise.all(tries),
    Promise.all(Array.from({ length: 16 }, (_, i) => statusOf(url, rights[i % 2]))),
  ]);
  expect(new Set(whole)).toEqual(new Set([200]));
  expect(new Set(statuses)).toEqual(new Set([401, 429]));
  expect(statuses.filter(status => status === 401).length).toBeLessThan(250);
  expect(await statusOf(other.url, { 'x-codebeaker-port-token': other.token })).toBe(502);
  await unexpose();
});

test('nobody exposes or lists the ports of others’ sessions', async () => {
  const other = await RpcClient.connect(server.wsUrl, { headers: { authorization: `Bearer ${OTHER}` } });
  for (const method of ['session.expose', 'session.unexpose', 'session.ports']) {
    const params = { sessionId, ...(method !== 'session.ports' && { port: 8000 }) };
    await expect(other.call(method, params)).rejects.toMatchObject({ code: -31014 });
  }
  await other.close();
});

test('no key reaches the program, and its cookies are for its own name', async () => {
  const { url, token } = await expose();
  const response = await ask(url, {
    authorization: `Bearer ${ONE}`,
    'x-api-key': OTHER,
    'x-mine': ONE,
    'x-codebeaker-port-token': token,
    cookie: 'mine=1',
  });
  expect(response.headers).toMatchObject({ 'set-cookie': ['a=1'], 'referrer-policy': 'same-origin' });
  const seen = await text(response);
  expect(seen).toContain('cookie: mine=1');
  for (const secret of [...KEYS, token]) expect(seen).not.toContain(secret);
  await unexpose();
});

test('the API is not at a port’s name, and a page from there may not call it', async () => {
  const { url } = await expose({ public: true });
  const body = await text(await ask(`${url}/api/language`, { 'x-api-key': ONE }));
  // The program's answer, not the API's.
  expect(body).toContain('Host: localhost:8000');
  const headers = { authorization: `Bearer ${ONE}`, origin: url };
  expect(await statusOf(`${server.url}/api/language`, headers)).toBe(403);
  await expect(RpcClient.connect(server.wsUrl, { headers })).rejects.toThrow();
  await unexpose();
});

test.each([
  ['unknown', (url: string) => url.replace(/-\w{4}/, '-0000'), 404],
  ['below another one', (url: string) => url.replace('http://', 'http://evil.'), 404],
  ['of another domain', (url: string) => url.replace('localhost', 'localhost.evil.example'), 403],
])('a name that is %s leads nowhere', async (_, changed, status) => {
  const { url } = await expose({ public: true });
  expect(await statusOf(changed(url), { authorization: `Bearer ${ONE}` })).toBe(status);
  await unexpose();
});

test('a session has so many connections at once, and they end when its port is exposed no more', async () => {
  const { url } = await expose({ public: true });
  const held = await Promise.all(Array.from({ length: 64 }, () => ask(`${url}/held`)));
  expect(held.map(({ statusCode }) => statusCode)).toEqual(new Array(64).fill(200));
  // What has no end yet is passed on as it comes.
  const [said] = await once(held.at(-1)!, 'data');
  expect(String(said)).toContain('Host: localhost:8000');
  expect(await statusOf(url)).toBe(503);
  held.shift()!.destroy();
  await expect.poll(() => statusOf(url)).toBe(200);
  const ends = held.map(response => new Promise(resolve => response.on('close', resolve)));
  for (const response of held) response.resume();
  await unexpose();
  await Promise.all(ends);
  const again = await expose({ public: true });
  expect(again.url).not.toBe(url);
  await expect.poll(() => statusOf(again.url)).toBe(200);
  await unexpose();
});

test('a port is found again when a program has ended what carries it', async () => {
  const { url } = await expose({ public: true });
  expect(await statusOf(url)).toBe(200);
  // Those that carry and look run as programs of the sandbox.
  const code = `
import os, signal
def helpers():
    for pid in filter(str.isdigit, os.listdir('/proc')):
        words = open(f'/proc/{pid}/cmdline', 'rb').read().split(b'\\0')
        if words[1:2] in ([b'relay'], [b'ports']): yield int(pid)
found = list(helpers())
for pid in found: os.kill(pid, signal.SIGKILL)
print(len(found))`;
  const ended = await client.call('session.execute', { sessionId, command: { type: 'execute_code', code } });
  expect(ended.result.stdout).toBe('2\n');
  await expect.poll(() => statusOf(url), { timeout: 60_000 }).toBe(200);
  const ports = () => client.call('session.ports', { sessionId }).then(({ ports }) => ports);
  await expect.poll(ports, { timeout: 60_000 }).toMatchObject([{ port: 8000, exposed: true, url }]);
  await unexpose();
});

describe('a sandbox of E2B’s', () => {
  const serve = async (more: object = {}) => {
    const sandbox = await Sandbox.create({ ...e2bAt(server.url, ONE), ...more });
    await sandbox.files.write('tells.py', `${TELLS}threading.Event().wait()`);
    await sandbox.commands.run('python3 tells.py', { background: true });
    const host = (port: number) => `http://${sandbox.getHost(port)}`;
    return { sandbox, url: host(8000), nothing: host(3000), traffic: sandbox.trafficAccessToken! };
  };
  const bodyAt = async (url: string) => JSON.parse(await text(await ask(url)));

  test('has its ports at the names that its client makes, and gone when it is', async () => {
    const { sandbox, url, nothing } = await serve();
    const { sandboxId } = sandbox;
    await expect.poll(() => statusOf(url)).toBe(200);
    const told = { sandboxId, code: 502, message: 'The sandbox is running but port is not open', port: 3000 };
    expect(await bodyAt(nothing)).toEqual(told);
    expect(await client.call('session.ports', { sessionId: sandboxId })).toMatchObject({
      ports: [{ port: 8000, exposed: true, url }],
    });
    const other = sandboxId.replace(/.$/, last => (last === '0' ? '1' : '0'));
    expect(await bodyAt(url.replace(sandboxId, other))).toMatchObject({
      message: 'The sandbox was not found',
    });
    // Of a session that was made elsewhere nothing is reached by its id.
    expect(await statusOf(url.replace(sandboxId, sessionId), { 'x-api-key': ONE })).toBe(502);
    await sandbox.kill();
    expect([await statusOf(url), (await bodyAt(url)).message]).toEqual([502, 'The sandbox was not found']);
  });

  test('without public traffic has them for who has its token, which its programs are not told', async () => {
    const { sandbox, url, traffic } = await serve({ network: { allowPublicTraffic: false } });
    const token = (value: string) => ({ 'e2b-traffic-access-token': value });
    await expect.poll(() => statusOf(url, token(traffic))).toBe(200);
    for (const headers of [{}, token(`${traffic}x`), token(''), { 'x-api-key': OTHER }])
      expect(await statusOf(url, headers)).toBe(403);
    expect(await statusOf(url, { 'x-api-key': ONE })).toBe(200);
    expect(await text(await ask(url, token(traffic)))).not.toContain(traffic);
    expect((await sandbox.getInfo()).network).toMatchObject({ allowPublicTraffic: false });
    await sandbox.kill();
  });
});

test('a port that nothing listens on is told at once, and one whose session has ended as gone', async () => {
  const session = await client.call('session.create', { language: 'python' });
  const of = { sessionId: session.sessionId };
  const { url } = await client.call('session.expose', { ...of, port: 9, public: true });
  const response = await ask(url);
  expect([response.statusCode, JSON.parse(await text(response))]).toEqual([
    502,
    { error: 'Nothing listens on port 9' },
  ]);
  await client.call('session.close', of);
  await expect.poll(() => statusOf(url)).toBe(410);
});
