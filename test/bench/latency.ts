import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { http } from '../support/rest-client.ts';
import { type Figure, figure, pause, timed } from './measure.ts';
import { oneShot, openSession, type Setting, subjects } from './setting.ts';

const NS_PER_MS = 1e6;
const PRINTS = `
import time
for _ in range(COUNT):
    print(time.monotonic_ns(), flush=True)
    time.sleep(0.01)`;

/**
 * From a program's print to the client's socket: the program prints its own clock, which is this machine's, and one that nobody sets: a day's
 * is set while this runs.
 */
export async function printing(setting: Setting): Promise<Figure[]> {
  const figures: Figure[] = [];
  const code = PRINTS.replace('COUNT', setting.quick ? '30' : '200');
  for (const subject of subjects(setting, 'Python', 'Docker')) {
    setting.say(`print to socket on ${subject.runtimeType}`);
    await using session = await openSession(setting.server.url, subject);
    const { client } = session;
    const samples: number[] = [];
    client.socket.on('message', data => {
      const arrived = process.hrtime.bigint();
      const { method, params } = JSON.parse(String(data));
      const printed = method === 'execution.output' ? params.text.trim() : '';
      if (printed) samples.push(Number(arrived - BigInt(printed)) / NS_PER_MS);
    });
    const { sessions } = await client.call('session.list', {});
    const { sessionId } = sessions.find(
      (each: { environmentId: string }) => each.environmentId === session.environmentId,
    );
    await client.call('session.execute', {
      sessionId,
      command: { type: 'execute_code', code },
      stream: true,
    });
    figures.push(figure('print to socket', subject.runtimeType, 'ms', samples));
  }
  return figures;
}

/** /health while eight clients run one-shots, asked by their own process, which wants a core as often as they do, and by one that waits for none. */
export async function healthUnderLoad(setting: Setting): Promise<Figure[]> {
  setting.say('/health under load');
  const [subject] = subjects(setting, 'Python', 'Bun');
  if (!subject) return [];
  const { url } = setting.server;
  const count = setting.quick ? 20 : 200;
  let busy = true;
  const load = Array.from({ length: 8 }, async () => {
    while (busy) await oneShot(url, subject);
  });
  const samples: number[] = [];
  let unhindered: number[];
  try {
    for (let i = 0; i < count; i++) {
      await pause(20);
      samples.push(await timed(() => http(`${url}/health`)));
    }
    unhindered = await askApart(url, count);
  } finally {
    busy = false;
  }
  await Promise.all(load);
  return [
    figure('health', '/health while 8 clients run one-shots', 'ms', samples),
    figure('health', 'the same, by a client that waits for no core', 'ms', unhindered),
  ];
}

async function askApart(url: string, count: number): Promise<number[]> {
  const script = join(import.meta.dirname, 'ask-health.ts');
  const asking = spawn(process.execPath, [script, url, String(count)], {
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [said] = await Promise.all([text(asking.stdout), once(asking, 'exit')]);
  return JSON.parse(said);
}
