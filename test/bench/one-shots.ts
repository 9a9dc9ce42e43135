import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BARE, Bare } from './bare.ts';
import { against, type Figure, figure, interleaved } from './measure.ts';
import { PlainClient } from './plain-client.ts';
import { oneShot, type Setting, subjects } from './setting.ts';

/** Time for a shelf to be filled again. */
const REFILL_MS = 250;

/** A bare process against a one-shot of the same program: from a warm sandbox, by Node's HTTP client and by `fetch`, and from none. */
export async function oneShots(setting: Setting): Promise<Figure[]> {
  const directory = mkdtempSync(join(tmpdir(), 'bench-'));
  const figures: Figure[] = [];
  const rounds = setting.quick ? 10 : 20;
  const process = new Bare();
  const client = new PlainClient();
  try {
    for (const subject of subjects(setting).filter(({ runtimeType }) => runtimeType in BARE)) {
      const { runtimeType } = subject;
      setting.say(`one-shots on ${runtimeType}`);
      const file = join(directory, runtimeType === 'Python' ? 'main.py' : 'main.js');
      writeFileSync(file, subject.nothing);
      const [bare, warm, fetched, cold] = await interleaved(
        rounds,
        [
          () => process.run(...BARE[runtimeType]!(file)),
          () => client.oneShot(setting.server.url, subject),
          () => oneShot(setting.server.url, subject),
          () => client.oneShot(setting.cold.url, subject),
        ],
        REFILL_MS,
      );
      const own = figure('one-shot', `${runtimeType}: bare process, start to exit`, 'ms', bare!);
      figures.push(own);
      figures.push(against(figure('one-shot', `${runtimeType}: REST, warm sandbox`, 'ms', warm!), own));
      figures.push(
        against(figure('one-shot', `${runtimeType}: REST, warm sandbox, by fetch`, 'ms', fetched!), own),
      );
      figures.push(against(figure('one-shot', `${runtimeType}: REST, cold sandbox`, 'ms', cold!), own));
    }
  } finally {
    process.close();
    client.close();
    rmSync(directory, { recursive: true });
  }
  return figures;
}
