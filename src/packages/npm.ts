import semver from 'semver';
import { invalid } from '../errors.ts';
import { NODE_PACKAGES } from '../sandbox.ts';
import type { Ecosystem } from './ecosystem.ts';
import { STORE } from './layer.ts';
import { ELSEWHERE } from './registry/protocol.ts';
import { npmRequirements } from './requirements.ts';

const OUT = '/workspace/out';
const ENV = {
  BUN_INSTALL_CACHE_DIR: '/workspace/cache',
  BUN_CONFIG_HTTP_RETRY_COUNT: '0',
  NO_COLOR: '1',
};
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
  allows: (versions, version) => semver.satisfies(version, versions),
  parse: npmRequirements,
  listIn: (file, text) => (/(?:^|\/)package\.json$/.test(file) ? listInManifest(text) : null),
  tool: () => ({ kind: 'own', program: 'bun' }),
  files: list => {
    const dependencies = Object.fromEntries(list.map(({ name, versions }) => [name, versions || 'latest']));
    return { [`${OUT}/package.json`]: JSON.stringify({ name: 'session', private: true, dependencies }) };
  },
  joinsLists: true,
  resolution: null,
  steps: ({ toolLayer, gateway, build }) => {
    const bun = `${STORE}/${toolLayer}/bun`;
    const install = [
      ...[bun, 'install', '--cwd', OUT, '--registry', `${gateway}/npm/`],
      ...['--ignore-scripts', '--no-progress', '--no-summary'],
      ...['--linker', 'hoisted', '--backend', 'hardlink'],
    ];
    // Whose scripts there are is read from the lockfile.
    const scripts = { argv: [bun, 'pm', '--cwd', OUT, 'trust', '--all'], env: ENV, idle: /\b0 scripts ran/ };
    return [
      { argv: build ? install : [...install, '--no-save'], env: ENV },
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
