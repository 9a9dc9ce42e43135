import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  machineCertificates,
  machineNpmRegistry,
  machinePythonIndex,
} from '../../src/packages/machine-settings.ts';
import { http } from '../support/rest-client.ts';
import { Bare, BUN_DIRECTORY } from './bare.ts';
import { against, type Figure, figure, interleaved, pause } from './measure.ts';
import { openSession, type Setting, type Subject, subjects } from './setting.ts';

const GROUP = 'packages';
/** Versions of something small. */
const IDNA = '2.5 2.6 2.7 2.8 2.9 2.10 3.0 3.1 3.2 3.3 3.4 3.6 3.7 3.8 3.9 3.10'.split(' ');
/** The last number of a version of something small, after which there are as many. */
const NANOID = 11;
const MIME_DB = 22;
/** Time for a pool to be filled again, milliseconds. */
const REFILL_MS = 250;

interface Installed {
  readonly name: string;
  readonly runtimeType: string;
  readonly packages: readonly string[];
  /** The list with something small beside it for each round, so that none is a layer already. */
  readonly anew: (round: number) => readonly string[];
  /** What is beside it in one way or the other, each of which is installed by itself before: by hand, all is in the cache too. */
  readonly beside: (round: number) => readonly (readonly string[])[];
  /** The same list in words of its own for each round; null where only the same words find a layer. */
  readonly reworded: ((round: number) => readonly string[]) | null;
  /** With another version of something that it needs, so that nothing of it is a layer as it lies then. */
  readonly otherwise: ((round: number) => readonly string[]) | null;
  /** The same list in words from which alone it can't be told that it is a layer. */
  readonly unknown: ((round: number) => readonly string[]) | null;
  readonly program: string;
  /** By hand into a new directory, with a cache that is kept. */
  readonly bare: (tool: string, directory: string, cache: string) => readonly string[];
}

const LISTS: readonly Installed[] = [
  {
    name: 'numpy and pandas',
    runtimeType: 'Python',
    packages: ['numpy', 'pandas'],
    anew: round => ['numpy', 'pandas', `idna==${IDNA[round]}`],
    beside: round => [[`idna==${IDNA[round]}`]],
    reworded: round => ['numpy', `pandas>=0.${round}`],
    otherwise: null,
    unknown: null,
    program: 'uv',
    bare: (uv, directory, cache) => [
      ...[uv, 'pip', 'install', '--quiet', '--no-config', '--no-build', '--python', '/usr/bin/python3'],
      ...['--default-index', machinePythonIndex(process.env), '--cache-dir', cache],
      ...['--target', directory, 'numpy', 'pandas'],
    ],
  },
  {
    name: 'express',
    runtimeType: 'Bun',
    packages: ['express@5'],
    anew: round => ['express@5', `nanoid@3.1.${NANOID + round}`],
    beside: round => [[`nanoid@3.1.${NANOID + round}`], [`mime-db@1.${MIME_DB + round}.0`]],
    reworded: null,
    otherwise: round => ['express@5', `mime-db@1.${MIME_DB + round}.0`],
    unknown: round => [`express@5 || 0.0.${round}`],
    program: 'bun',
    bare: (bun, directory, cache) => [
      ...['env', `BUN_INSTALL_CACHE_DIR=${cache}`, bun, 'add', '--cwd', directory, '--ignore-scripts'],
      ...['--registry', machineNpmRegistry(process.env).url, 'express@5'],
    ],
  },
];

/**
 * What installing takes whose artifacts are kept, beside the same installer by hand with its own cache; what a list that is installed
 * already adds to a one-shot and to a session.
 */
export async function packages(setting: Setting): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const list of LISTS) {
    const [subject] = subjects(setting, list.runtimeType);
    if (!subject) continue;
    setting.say(`installing ${list.name}`);
    figures.push(...(await installing(setting, list, subject)));
    setting.say(`${list.name}, installed already`);
    figures.push(...(await there(setting, list, subject)));
  }
  return figures;
}

async function installing({ server, quick }: Setting, list: Installed, subject: Subject): Promise<Figure[]> {
  const root = mkdtempSync(join(tmpdir(), 'bench-packages-'));
  const bare = new Bare();
  const install = async (wanted: readonly string[]) => {
    await using session = await openSession(server.url, subject);
    const beganAt = performance.now();
    const { cached } = await session.run({ type: 'install_packages', packages: wanted });
    return { ms: performance.now() - beganAt, cached };
  };
  try {
    await install(list.packages);
    await settled(server.dataDir);
    const tool = programOf(server.dataDir, list.program);
    const rounds = quick ? 2 : 7;
    let round = 0;
    const byHand = () => {
      const directory = mkdtempSync(join(root, 'into-'));
      writeFileSync(join(directory, 'package.json'), '{}');
      return bare.run(...environment(), ...list.bare(tool, directory, join(root, 'cache')));
    };
    await byHand();
    const ours = (words: Installed['anew'], there: boolean) => async () => {
      await settled(server.dataDir);
      const { ms, cached } = await install(words(++round));
      if (cached !== there) throw new Error(`it ${there ? 'was not' : 'was'} installed already`);
      return ms;
    };
    const others = [
      ...(list.reworded
        ? [['of versions that are a layer, in other words', list.reworded, true] as const]
        : []),
      ...(list.unknown
        ? [['of versions that are a layer, in words of nobody', list.unknown, true] as const]
        : []),
      ...(list.otherwise
        ? [['what is downloaded kept and nothing a layer', list.otherwise, false] as const]
        : []),
    ];
    for (let i = 1; i <= rounds * (others.length + 1); i++)
      for (const each of list.beside(i)) await install(each);
    const works = [byHand, ours(list.anew, false), ...others.map(([, words, there]) => ours(words, there))];
    const [other, anew, ...more] = await interleaved(rounds, works, REFILL_MS);
    await settled(server.dataDir);
    const hand = figure(GROUP, `${list.name}: ${list.program} by hand, its cache warm`, 'ms', other!);
    const own = (what: string, samples: number[]) =>
      against(figure(GROUP, `${list.name}: install_packages, ${what}`, 'ms', samples), hand);
    return [hand, own('what is downloaded kept', anew!), ...others.map(([what], i) => own(what, more[i]!))];
  } finally {
    bare.close();
    rmSync(root, { recursive: true });
  }
}

async function there({ server, quick }: Setting, list: Installed, subject: Subject): Promise<Figure[]> {
  const { language, runtimeType, nothing: code } = subject;
  const run = async (config: object) => {
    const { body } = await http(`${server.url}/api/execution?wait=true`, 'POST', {
      ...{ language, runtimeType, code, config },
    });
    if (body.outcome !== 'ok') throw new Error(JSON.stringify(body));
  };
  const open = async (more: object) => {
    const beganAt = performance.now();
    await using _session = await openSession(server.url, subject, more);
    return performance.now() - beganAt;
  };
  const rounds = quick ? 10 : 40;
  const figures: Figure[] = [];
  for (const [what, works] of [
    ['a one-shot', [() => run({ packages: list.packages }), () => run({})]],
    ['a session', [() => open({ packages: list.packages }), () => open({})]],
  ] as const) {
    await interleaved(2, works, REFILL_MS);
    const [own, other] = await interleaved(rounds, works, REFILL_MS);
    const added = own!.map((ms, i) => ms - other![i]!);
    figures.push(
      figure(GROUP, `${list.name}: ${what} that has them`, 'ms', own!),
      figure(GROUP, `${list.name}: what they add to ${what}`, 'ms', added),
    );
  }
  return figures;
}

/** What the service's own processes trust, which read the machine's settings as well (src/packages/machine-settings.ts). */
function environment(): [string, ...string[]] {
  const file = machineCertificates(process.env);
  return ['env', ...(file === null ? [] : [`SSL_CERT_FILE=${file}`, `NODE_EXTRA_CA_CERTS=${file}`])];
}

/** The installer itself, which is a layer. */
function programOf(dataDir: string, name: string): string {
  if (name === 'bun') return join(BUN_DIRECTORY, 'bun.exe');
  const layers = join(dataDir, 'packages/layers');
  const found = execFileSync('find', [layers, '-maxdepth', '2', '-name', name, '-type', 'f'], {
    encoding: 'utf8',
  });
  return found.split('\n')[0]!;
}

/** Nothing is compiled any more for who comes next. */
async function settled(dataDir: string): Promise<void> {
  while (readdirSync(join(dataDir, 'packages/incoming')).length > 0) await pause(100);
}
