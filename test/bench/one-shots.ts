import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Bare } from './bare.ts';
import { against, type Figure, figure, interleaved, pause } from './measure.ts';
import { oneShot, type Setting, type Subject, subjects } from './setting.ts';

const BIN = join(import.meta.dirname, '../../node_modules/.bin');
const BARE: Readonly<Record<string, (file: string) => [string, ...string[]]>> = {
  Bun: file => [join(BIN, '../bun/bin/bun.exe'), file],
  Python: file => ['/usr/bin/python3', file],
  Deno: file => [join(BIN, '../deno/deno'), 'run', '--quiet', file],
  NodeJs: file => [join(BIN, 'node'), file],
};
/** Time for a shelf to be filled again. */
const REFILL_MS = 250;
const STREAM_MS = 4000;

/** A bare process against a one-shot of the same program: from a warm sandbox, and from none. */
export async function oneShots(setting: Setting): Promise<Figure[]> {
  const directory = mkdtempSync(join(tmpdir(), 'bench-'));
  const figures: Figure[] = [];
  const rounds = setting.quick ? 10 : 40;
  const process = new Bare();
  try {
    for (const subject of subjects(setting).filter(({ runtimeType }) => runtimeType in BARE)) {
      const { runtimeType } = subject;
      setting.say(`one-shots on ${runtimeType}`);
      const file = join(directory, runtimeType === 'Python' ? 'main.py' : 'main.js');
      writeFileSync(file, subject.nothing);
      const [bare, warm, cold] = await interleaved(
        rounds,
        [
          () => process.run(...BARE[runtimeType]!(file)),
          () => oneShot(setting.server.url, subject),
          () => oneShot(setting.cold.url, subject),
        ],
        REFILL_MS,
      );
      const own = figure('one-shot', `${runtimeType}: bare process, start to exit`, 'ms', bare!);
      figures.push(own);
      figures.push(against(figure('one-shot', `${runtimeType}: REST, warm sandbox`, 'ms', warm!), own));
      figures.push(against(figure('one-shot', `${runtimeType}: REST, cold sandbox`, 'ms', cold!), own));
    }
  } finally {
    process.close();
    rmSync(directory, { recursive: true });
  }
  return figures;
}

/** Fresh sandboxes one after the other, by several clients at once. */
export async function throughput(setting: Setting): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const subject of subjects(setting, 'Bun', 'Python', 'Docker')) {
    for (const clients of [1, 2, 4, 8]) {
      setting.say(`throughput of ${subject.runtimeType}, ${clients} clients`);
      const perSecond = await sustained(setting, subject, clients);
      figures.push(
        figure('throughput', `${subject.runtimeType}: ${clients} client${clients > 1 ? 's' : ''}`, '/s', [
          perSecond,
        ]),
      );
      await pause(500);
    }
  }
  return figures;
}

async function sustained({ server, quick }: Setting, subject: Subject, clients: number): Promise<number> {
  const startedAt = performance.now();
  const until = startedAt + (quick ? STREAM_MS / 4 : STREAM_MS);
  let done = 0;
  const client = async () => {
    while (performance.now() < until) {
      await oneShot(server.url, subject);
      done++;
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return (done * 1000) / (performance.now() - startedAt);
}
