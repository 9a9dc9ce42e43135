import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { http } from '../support/rest-client.ts';
import { BARE, Bare } from './bare.ts';
import { against, type Figure, figure, interleaved } from './measure.ts';
import { type Setting, subjects } from './setting.ts';

const LINES = 100_000;
const PROGRAMS: Readonly<Record<string, string>> = {
  python: `for i in range(${LINES}): print("line", i)`,
  javascript: `for (let i = 0; i < ${LINES}; i++) console.log("line", i)`,
};
const REFILL_MS = 250;
/** The same for containers. */
const CONTAINER_MS = 2000;

/** A program that prints a hundred thousand lines: bare, into a pipe, and as a one-shot. The bare one of a container's is this machine's. */
export async function hundredThousandLines(setting: Setting): Promise<Figure[]> {
  const directory = mkdtempSync(join(tmpdir(), 'bench-'));
  const starter = new Bare();
  const figures: Figure[] = [];
  try {
    for (const { runtimeType, language } of subjects(setting)) {
      const bareOf = BARE[runtimeType] ?? BARE.Python!;
      setting.say(`${LINES} lines on ${runtimeType}`);
      const code = PROGRAMS[language]!;
      const file = join(directory, language === 'python' ? 'main.py' : 'main.js');
      writeFileSync(file, code);
      const request = { language, runtimeType, code };
      const [bare, own] = await interleaved(
        setting.quick ? 3 : 7,
        [
          () => starter.run('/bin/sh', '-c', '"$@" | cat >/dev/null', 'sh', ...bareOf(file)),
          () => http(`${setting.server.url}/api/execution?wait=true`, 'POST', request),
        ],
        runtimeType === 'Docker' ? CONTAINER_MS : REFILL_MS,
      );
      const alone = figure('lines', `${runtimeType}: bare process`, 'ms', bare!);
      figures.push(alone, against(figure('lines', `${runtimeType}: one-shot`, 'ms', own!), alone));
    }
  } finally {
    starter.close();
    rmSync(directory, { recursive: true });
  }
  return figures;
}
