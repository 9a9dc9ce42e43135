import { readFileSync } from 'node:fs';
import satisfies from 'semver/functions/satisfies.js';
import { invalid } from '../errors.ts';
import { NODE_PACKAGES } from '../sandbox.ts';
import type { Done, Ecosystem, StepParts } from './ecosystem.ts';
import { type InstalledPackage, type Layer, STORE } from './layer.ts';
import { ELSEWHERE } from './registry/protocol.ts';
import { npmRequirements } from './requirements.ts';

const SCRIPTS_IN_ORDER = new URL('./scripts-in-order.mjs', import.meta.url);
const OUT = '/workspace/out';
const ENV = {
  BUN_INSTALL_CACHE_DIR: '/workspace/cache',
  BUN_CONFIG_HTTP_RETRY_COUNT: '0',
  NO_COLOR: '1',
};
/** Says what the lockfile says, and nothing else where that is made. */
const READS_LOCKFILE = `said=$("$@" 2>&1) && exec cat ${OUT}/bun.lock || { code=$?; echo "$said"; exit $code; }`;
/** A line of bun's lockfile about a package that comes from the registry. */
const LOCKED =
  /^ {4}"([^"\\ ]+)": \["((?:@[^"\\/@ ]+\/)?[^"\\/@ ]+@[^"\\@ ]+)", "[^"\\ ]*", .*"(sha\d+-[\w+/]+=*)"\],$/;
/** In such a line, where it is for some machines only. */
const SOMEWHERE = /"(?:os|cpu|libc)": /;
/** Of a package.json, what is installed. */
const WANTED = ['dependencies', 'devDependencies', 'optionalDependencies'];

/**
 * JavaScript and TypeScript, on Bun, Node.js and Deno alike: by bun, into one flat tree that all three read. It gets the list as a
 * manifest, in which nothing can be an option, and runs no script of a package before all are there; then those of every package
 * where a request allows it.
 */
export const npm: Ecosystem = {
  name: 'npm',
  manager: 'bun',
  otherManagers: ['npm'],
  links: { [NODE_PACKAGES]: 'node_modules' },
  path: `${NODE_PACKAGES}/.bin`,
  portable: true,
  builds: true,
  spelled: name => name,
  allows: (versions, version) => satisfies(version, versions),
  parse: npmRequirements,
  listIn: (file, text) => (/(?:^|\/)package\.json$/.test(file) ? listInManifest(text) : null),
  tool: () => ({ kind: 'own', program: 'bun' }),
  files: list => {
    const dependencies = Object.fromEntries(list.map(({ name, versions }) => [name, versions || 'latest']));
    // Else bun takes the scripts of packages that it trusts itself for run already.
    const manifest = { name: 'session', private: true, dependencies, trustedDependencies: [] };
    return { [`${OUT}/package.json`]: JSON.stringify(manifest) };
  },
  joinsLists: true,
  picks: true,
  resolution: {
    step: parts => {
      const argv = install(parts, '--lockfile-only');
      return { argv: ['sh', '-c', READS_LOCKFILE, 'sh', ...argv], env: ENV };
    },
    pinsIn,
    holds,
    parts: null,
  },
  steps: parts => {
    const { toolLayer, gateway, build } = parts;
    const bun = `${STORE}/${toolLayer}/bun`;
    const scripts = {
      argv: [bun, '-e', readFileSync(SCRIPTS_IN_ORDER, 'utf8'), OUT],
      // node-gyp comes from there too, where a package does not bring it.
      env: { ...ENV, npm_config_registry: `${gateway}/npm/` },
    };
    return [
      { argv: build ? install(parts) : install(parts, '--no-save'), env: ENV },
      ...(build ? [scripts] : []),
      { argv: ['rm', '-f', `${OUT}/package.json`, `${OUT}/bun.lock`], env: {} },
    ];
  },
  later: [],
  out: OUT,
  reasonOf(words) {
    if (words.includes(ELSEWHERE)) return 'denied';
    if (/\bscript from "/.test(words)) return 'needs_build';
    return /No version matching|failed to resolve| - 404/.test(words) ? 'not_found' : null;
  },
};

function install({ toolLayer, gateway }: StepParts, ...options: readonly string[]): string[] {
  return [
    ...[`${STORE}/${toolLayer}/bun`, 'install', '--cwd', OUT, '--registry', `${gateway}/npm/`],
    ...['--ignore-scripts', '--no-progress', '--no-summary'],
    ...['--linker', 'hoisted', '--backend', 'hardlink', ...options],
  ];
}

/** Each line about a package in bun's lockfile: where it lies, what it is, and its digest. Null where a line says anything else. */
function pinsIn(words: string): readonly string[] | null {
  const [, lines] = /\n {2}"packages": \{\n(.*)\n {2}\}\n\}$/s.exec(words) ?? [];
  const found = lines
    ?.split('\n')
    .filter(line => line !== '')
    .map(line => LOCKED.exec(line));
  if (!found?.every(each => each !== null)) return null;
  return found.map(each => [...each.slice(1), ...(SOMEWHERE.test(each[0]) ? ['somewhere'] : [])].join(' '));
}

/**
 * What lies in the tree is of these pins, by its digests; and no page and no artifact of another package was there, which could have had the
 * installer say or write anything. Nor was it refused anything: it goes on without a package that another would have where it can.
 */
function holds(
  { installed, asked }: Pick<Layer, 'installed'> & Pick<Done, 'asked'>,
  pins: readonly string[],
): boolean {
  const there = new Set(installed.map(({ name, version }) => `${name}@${version}`));
  const pinned = pins.map(pin => pin.split(' ') as [string, string, string, string?]);
  if (!pinned.every(([, version, , somewhere]) => there.has(version) || somewhere)) return false;
  const known = new Map(pinned.map(([, version, integrity]) => [version, digestOf(integrity)]));
  const names = new Set(pinned.map(([, version]) => version.slice(0, version.lastIndexOf('@'))));
  const isPinned = ({ name, version, digest }: InstalledPackage) =>
    digest !== null && known.get(`${name}@${version}`) === digest;
  if (!asked || asked.failed || asked.unused.length > 0) return false;
  return installed.every(isPinned) && asked.pages.every(page => names.has(page));
}

/** As it is told of what is installed. */
function digestOf(integrity: string): string {
  const [, algorithm = '', base64 = ''] = /^(\w+)-(.*)$/.exec(integrity) ?? [];
  return `${algorithm}:${Buffer.from(base64, 'base64').toString('hex')}`;
}

function listInManifest(text: string): string[] {
  const field = 'requirementsFile';
  let manifest: unknown;
  try {
    manifest = JSON.parse(text);
  } catch {
    throw invalid(field, 'is no JSON');
  }
  const wanted = new Map<string, string>();
  for (const name of WANTED) {
    const part = (manifest as Record<string, unknown> | null)?.[name] ?? {};
    for (const [each, range] of Object.entries(part as Record<string, unknown>)) {
      if (typeof range !== 'string')
        throw invalid(field, `${JSON.stringify(each.slice(0, 60))} has no text for its version`);
      wanted.set(each, `${each}@${range.trim() || 'latest'}`);
    }
  }
  return [...wanted.values()];
}
