import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { http } from '../support/rest-client.ts';
import { startServer } from '../support/start-server.ts';
import { BARE, Bare } from './bare.ts';
import { against, type Figure, figure, interleaved } from './measure.ts';
import { openSession, type Setting, type Subject } from './setting.ts';

const ROUNDS = 9;
const REFILL_MS = 250;
const PYTHON: Subject = { runtimeType: 'Python', language: 'python', print: 'print(1)', nothing: 'pass' };
const BUN: Subject = { runtimeType: 'Bun', language: 'javascript', print: 'console.log(1)', nothing: ';' };

/** Packages, on a server of their own that forgets at once what a list meant; what they are is in its cache by then. */
export async function packages({ available, quick, say }: Setting): Promise<Figure[]> {
  if (!available.has('Python') || !available.has('Bun')) return [];
  const env = { CODEBEAKER_RUNTIMES: 'Python,Bun', CODEBEAKER_PACKAGES_TTL_SECONDS: '0' };
  const server = await startServer({ env });
  const directory = mkdtempSync(join(tmpdir(), 'bench-'));
  const bare = new Bare();
  const rounds = quick ? 3 : ROUNDS;
  try {
    const figures: Figure[] = [];
    const measure = async (name: string, works: Record<string, () => Promise<unknown>>) => {
      say(name);
      for (const work of Object.values(works)) await work();
      const samples = await interleaved(rounds, Object.values(works), REFILL_MS);
      const [own, other] = Object.keys(works).map((each, i) =>
        figure('packages', `${name}: ${each}`, 'ms', samples[i]!),
      );
      figures.push(against(own!, other!), other!);
    };
    await run(server.url, PYTHON, ['numpy', 'pandas']);
    const uv = [
      '--quiet',
      '--no-config',
      '--target',
      join(directory, 'uv'),
      '--reinstall',
      'numpy',
      'pandas',
    ];
    const python = BARE.Python!('')[0];
    await measure('numpy and pandas, asked for anew, with a program', {
      'a one-shot': () => run(server.url, PYTHON, ['numpy', 'pandas']),
      'bare uv pip install, its cache warm': () =>
        bare.run(uvOf(server.dataDir), 'pip', 'install', '--python', python, ...uv),
    });
    const bun = BARE.Bun!('')[0];
    await measure('express, asked for anew, with a program', {
      'a one-shot': () => run(server.url, BUN, ['express']),
      'bare bun add, its cache warm': () =>
        bare.run(
          '/bin/sh',
          '-c',
          'cd "$1" && rm -rf node_modules package.json bun.lock && "$2" add --silent express',
          'sh',
          directory,
          bun,
        ),
    });
    const pinned = ['six==1.16.0'];
    await measure('a layer that is there', {
      'a one-shot with it': () => run(server.url, PYTHON, pinned),
      'a one-shot without': () => run(server.url, PYTHON),
    });
    await measure('a layer that is there, of a session', {
      'a session with it, made and closed': () => session(server.url, { packages: pinned }),
      'a session without': () => session(server.url),
    });
    return figures;
  } finally {
    bare.close();
    rmSync(directory, { recursive: true });
    await server.stop();
  }
}

async function run(url: string, { language, runtimeType, nothing: code }: Subject, wanted?: string[]) {
  const config = { packages: wanted };
  const { body } = await http(`${url}/api/execution?wait=true`, 'POST', {
    language,
    runtimeType,
    code,
    config,
  });
  if (body.outcome !== 'ok') throw new Error(JSON.stringify(body));
}

async function session(url: string, more: object = {}): Promise<void> {
  await using _ = await openSession(url, PYTHON, more);
}

/** That the server has fetched for itself. */
function uvOf(dataDir: string): string {
  const layers = join(dataDir, 'packages/layers');
  const found = readdirSync(layers, { recursive: true, encoding: 'utf8' }).find(path =>
    /^[^/]+\/uv$/.test(path),
  );
  return join(layers, found!);
}
