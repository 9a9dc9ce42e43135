import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { WebSocket } from 'ws';
import { type Figure, figure, pause } from './measure.ts';
import { openSession, type Setting, subjects } from './setting.ts';

const GROUP = 'status';
const BUSY = 100;
const NS_PER_MS = 1e6;
/** Its last act is to look at the clock of the machine that nobody sets. */
const PROBE = 'import time; time.monotonic_ns()';

/** From a cell's last act to the socket of a client of /ws/status: by itself, and beside sessions that run one cell after another. */
export async function notices(setting: Setting): Promise<Figure[]> {
  const { server, say, quick } = setting;
  const [subject] = subjects(setting, 'Python');
  if (!subject) return [];
  const rounds = quick ? 50 : 300;
  await using probe = await openSession(server.url, subject);
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/ws/status`);
  await once(socket, 'open');
  const arrivals: number[] = [];
  socket.on('message', (data: Buffer) => {
    const at = Number(process.hrtime.bigint());
    if (JSON.parse(String(data)).method === 'execution.completed') arrivals.push(at);
  });
  const arrived = async (count: number) => {
    while (arrivals.length < count) {
      if (socket.readyState !== WebSocket.OPEN) throw new Error('the socket closed');
      await pause(1);
    }
  };
  const measure = async (name: string) => {
    const samples: number[] = [];
    for (let i = 0; i < rounds; i++) {
      const before = arrivals.length;
      const { results } = await probe.run({ type: 'execute_code', code: PROBE });
      await arrived(before + 1);
      samples.push((arrivals[before]! - Number(results[0]['text/plain'])) / NS_PER_MS);
    }
    return figure(GROUP, `a cell's last act to the socket, ${name}`, 'ms', samples);
  };
  try {
    socket.send(JSON.stringify({ subscribe: ['execution.completed'], sessionId: probe.sessionId }));
    // Nothing answers a subscription: it holds when something is told.
    for (let tries = 0; arrivals.length === 0 && tries < 50; tries++) {
      await probe.run({ type: 'execute_code', code: PROBE });
      await pause(100);
    }
    say('notices of a quiet server');
    const quiet = await measure('nothing beside it');
    say(`notices beside ${BUSY} busy sessions`);
    await using busy = new Worker(new URL('./busy.ts', import.meta.url), {
      workerData: { url: server.url, subject, count: BUSY },
    });
    await once(busy, 'message');
    const beside = await measure(`${BUSY} sessions beside it run cell after cell`);
    busy.postMessage('end');
    const [perSecond] = await once(busy, 'message');
    return [quiet, beside, figure(GROUP, `cells of the ${BUSY} sessions`, '/s', [perSecond])];
  } finally {
    socket.terminate();
  }
}
