import { once } from 'node:events';
import { mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { BareServer } from './bare-server.ts';
import { DataCopy, HttpCopy, PIECE_BYTES } from './copies.ts';
import { against, type Figure, figure, interleaved, pause, timed } from './measure.ts';
import { openSession, type Setting, type Subject, subjects } from './setting.ts';

const MB = 1024 * 1024;
/** Of a file; `CODEBEAKER_BENCH_TRANSFER_MB=1024` for a large one. */
const SIZE_MB = Number(process.env.CODEBEAKER_BENCH_TRANSFER_MB ?? 64);
const ROUNDS = 5;
const AT_ONCE = 20;
/** Of those at once, so that the same disk holds each of them twice, beside the large one. */
const SMALL_BYTES = Math.max(1, Math.floor((SIZE_MB * MB) / AT_ONCE / 2 / PIECE_BYTES)) * PIECE_BYTES;
/** A file and the one that takes its place must fit on the disk: half the memory, and ten sixteenths of that in a container. */
const memoryLimitMB = Math.min(Math.max(512, Math.ceil(SIZE_MB * 6.6)), 8192);

/** Files up and down, beside the least that can keep a file and give it back, for the same clients in the same run. */
export async function transfers(setting: Setting): Promise<Figure[]> {
  const figures: Figure[] = [];
  const bare = await startBareCopy();
  try {
    for (const subject of subjects(setting, 'Python', 'Bun', 'Docker')) {
      await using session = await openSession(setting.server.url, subject, { memoryLimitMB });
      setting.say(`files of ${SIZE_MB} MB on ${subject.runtimeType}`);
      figures.push(...(await races(setting, subject, session.sessionId, bare)));
      setting.say(`commands beside files on ${subject.runtimeType}`);
      figures.push(...(await beside(setting, subject, session)));
    }
  } finally {
    bare.close();
  }
  return figures;
}

/** Its file lies in memory, as a sandbox's do. */
function startBareCopy(): Promise<BareServer> {
  const directory = mkdtempSync('/dev/shm/codebeaker-bench-');
  return BareServer.start(directory, join(import.meta.dirname, 'bare-copy.ts'), join(directory, 'f'));
}

async function races(
  { server, quick }: Setting,
  { runtimeType }: Subject,
  sessionId: string,
  bare: BareServer,
): Promise<Figure[]> {
  const bytes = SIZE_MB * MB;
  const ways = {
    HTTP: [new HttpCopy(`${server.url}/api/session/${sessionId}/files/f`), new HttpCopy(bare.url)],
    WebSocket: [new DataCopy(`${server.url}/ws/data`, sessionId), new DataCopy(bare.url, '')],
  } as const;
  const figures: Figure[] = [];
  for (const [way, [ours, theirs]] of Object.entries(ways))
    for (const direction of ['up', 'down'] as const) {
      const name = `${runtimeType}, ${SIZE_MB} MB ${direction} over ${way}`;
      const works = [ours, theirs].map(copy => () => copy[direction](bytes));
      const [own, other] = await interleaved(quick ? 2 : ROUNDS, works, 100);
      const least = figure('files', `${name}: the least`, 'ms', other!);
      figures.push(against(figure('files', name, 'ms', own!), least), least);
    }
  return figures;
}

type Session = Awaited<ReturnType<typeof openSession>>;

/** What a ping and a cell take while twenty files are on their way, and what of it the service holds in memory. */
async function beside({ server, quick }: Setting, { runtimeType, language }: Subject, session: Session) {
  await using other = await openSession(server.url, { runtimeType, language, print: '', nothing: '' });
  const count = quick ? 20 : 100;
  const cell = () => other.run({ type: 'execute_code', code: '1' });
  let most = 0;
  const measure = async (work: () => Promise<unknown>) => {
    const samples: number[] = [];
    for (let i = 0; i < count; i++) {
      samples.push(await timed(work));
      most = Math.max(most, residentMB(server.pid));
      await pause(5);
    }
    return samples;
  };
  await measure(cell);
  const idle = figure('files', `${runtimeType}: a cell, and nothing beside it`, 'ms', await measure(cell));
  const before = residentMB(server.pid);
  most = before;
  // Of their own thread: masking and reading twenty files would keep this one from hearing the answers.
  const { sessionId } = session;
  const copying = new Worker(new URL('./copying.ts', import.meta.url), {
    workerData: { url: server.url, sessionId, count: AT_ONCE, bytes: SMALL_BYTES },
  });
  await once(copying, 'online');
  const name = `${runtimeType}, ${AT_ONCE} files up and down`;
  const pings = await measure(() => other.client.call('ping'));
  const cells = await measure(cell);
  await copying.terminate();
  return [
    figure('files', `${name}: a ping of another session's client`, 'ms', pings),
    against(figure('files', `${name}: a cell of another session`, 'ms', cells), idle),
    idle,
    figure('files', `${name}: memory of the service beyond its own`, 'MB', [most - before]),
  ];
}

function residentMB(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024;
}
