import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { startServer } from '../support/start-server.ts';
import { BareServer } from './bare-server.ts';
import { HttpCopy } from './copies.ts';
import { against, type Figure, figure, interleaved, pause, timed } from './measure.ts';
import { openSession, type Setting, subjects } from './setting.ts';

const GROUP = 'ports';
const MB = 1024 * 1024;
const BYTES = 64 * MB;
const ROUNDS = 8;
const PORT = 8000;

/** Takes what comes, and sends so much to who asks; prints its port. */
const SERVES = `
import { createServer } from 'node:http';
const piece = Buffer.alloc(64 * 1024, 'what a port may carry, ');
const server = createServer(async (request, response) => {
  if (request.method === 'PUT') return request.resume().on('end', () => response.writeHead(204).end());
  response.writeHead(200, { 'content-length': ${BYTES} });
  for (let sent = 0; sent < ${BYTES}; sent += piece.length)
    if (!response.write(piece)) await new Promise(resolve => response.once('drain', resolve));
  response.end();
});
server.listen(Number(process.argv[2]), '127.0.0.1', () => console.log(server.address().port));
`;

/**
 * What an exposed port carries, beside the same program reached directly by the same client, and what a neighbour's ping takes meanwhile;
 * and what it takes while a session with a network downloads as fast as it may.
 */
export async function ports(setting: Setting): Promise<Figure[]> {
  const { server, quick } = setting;
  const subject = subjects(setting, 'NodeJs')[0];
  if (!subject) return [];
  await using other = await openSession(server.url, subject);
  const pings = (name: string) => pinged(name, other.client, quick ? 100 : 1000);
  const figures: Figure[] = [];
  setting.say(`${BYTES / MB} MB through a port`);
  const bare = await startBare();
  try {
    await using session = await openSession(server.url, subject);
    const { headers } = await exposed(session);
    const [ours, theirs] = [new HttpCopy(server.url, headers), new HttpCopy(bare.url)];
    for (const direction of ['down', 'up'] as const) {
      const works = [ours, theirs].map(copy => () => copy[direction](BYTES));
      await interleaved(1, works);
      const [own, direct] = await interleaved(quick ? 3 : ROUNDS, works, 100);
      const name = `${BYTES / MB} MB ${direction}`;
      const least = figure(GROUP, `${name}: without a sandbox`, 'ms', direct!);
      figures.push(least, against(figure(GROUP, name, 'ms', own!), least));
    }
    setting.say('pings beside a port');
    figures.push(await pings('a ping, and nothing beside it'));
    const workerData = { url: server.url, headers, bytes: BYTES };
    await using copying = new Worker(new URL('./port-copying.ts', import.meta.url), { workerData });
    await once(copying, 'online');
    await pause(500);
    figures.push(await pings("a ping while another session's port is at its full rate"));
  } finally {
    bare.close();
  }
  setting.say('pings beside a network');
  return [...figures, ...(await besideDownloads(quick))];
}

/** The same program without a sandbox. */
function startBare(): Promise<BareServer> {
  const directory = mkdtempSync(join(tmpdir(), 'bench-'));
  const script = join(directory, 'serves.mjs');
  writeFileSync(script, SERVES);
  return BareServer.start(directory, script, '0');
}

type Session = Awaited<ReturnType<typeof openSession>>;

async function exposed({ client, sessionId, run }: Session) {
  await run({ type: 'write_file', path: 'serves.mjs', content: SERVES });
  const args = ['serves.mjs', String(PORT)];
  await run({ type: 'execute_shell', commandName: 'node', args, background: true });
  const { url, token } = await client.call('session.expose', { sessionId, port: PORT });
  for (let tries = 0; tries < 100; tries++) {
    const { ports: found } = await client.call('session.ports', { sessionId });
    const { host } = new URL(url);
    if (found.length > 0) return { headers: { host, 'x-codebeaker-port-token': token as string } };
    await pause(100);
  }
  throw new Error('nothing listens in the session');
}

async function pinged(name: string, client: Session['client'], count: number): Promise<Figure> {
  const samples: number[] = [];
  for (let i = 0; i < count; i++) {
    samples.push(await timed(() => client.call('ping')));
    await pause(5);
  }
  return figure(GROUP, name, 'ms', samples);
}

const DOWNLOADS = (address: string) => `
import urllib.request
while True:
    with urllib.request.urlopen('http://${address}/') as answer:
        while answer.read(65536): pass
`;

/** On a server of its own, which lets programs reach one port of this machine. */
async function besideDownloads(quick: boolean): Promise<Figure[]> {
  const own = Object.values(networkInterfaces()).flat();
  const ip = own.find(each => each && !each.internal && each.family === 'IPv4')?.address;
  if (ip === undefined) return [];
  const piece = Buffer.alloc(64 * 1024, 'x');
  const endless = createServer((_, response) => {
    const more = () => {
      while (!response.destroyed && response.write(piece));
    };
    response.on('drain', more);
    more();
  });
  let last: Socket | undefined;
  endless.on('connection', socket => (last = socket));
  endless.listen(0, ip);
  await once(endless, 'listening');
  const address = `${ip}:${(endless.address() as AddressInfo).port}`;
  const bounds = { CODEBEAKER_NETWORK_BYTES: String(1024 ** 4) };
  const env = { CODEBEAKER_NETWORK: 'public', CODEBEAKER_NETWORK_PRIVATE: address, ...bounds };
  const server = await startServer({ env: { ...env, CODEBEAKER_RUNTIMES: 'Python' } });
  try {
    const subject = { runtimeType: 'Python', language: 'python', print: '', nothing: '' };
    await using other = await openSession(server.url, subject);
    await using session = await openSession(server.url, subject, { network: { allow: [address] } });
    const code = DOWNLOADS(address);
    await session.run({ type: 'write_file', path: 'downloads.py', content: code });
    const args = ['downloads.py'];
    await session.run({ type: 'execute_shell', commandName: 'python3', args, background: true });
    await pause(2000);
    const before = last?.bytesWritten ?? 0;
    const beganAt = performance.now();
    const name = 'a ping while another session downloads at its full rate';
    const pings = await pinged(name, other.client, quick ? 100 : 1000);
    const bytes = (last?.bytesWritten ?? 0) - before;
    const rate = ((bytes / MB) * 1000) / (performance.now() - beganAt);
    return [pings, figure(GROUP, 'what that session downloads in a second', 'MB', [rate])];
  } finally {
    await server.stop();
    endless.closeAllConnections();
    endless.close();
  }
}
