import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Runs the scripts of all packages of a tree by bun, those of what a package needs before its own, as npm does: `bun pm trust` begins all that it is
 * told of at once. Run by bun, beside which headers of Node.js may lie, with the directory of the tree as its argument. It ends as the first that fails.
 */

const root = process.argv.at(-1);
const SCRIPTS = ['preinstall', 'install', 'postinstall'];
const NEEDED = ['dependencies', 'optionalDependencies', 'peerDependencies'];
const NONE = /\b0 scripts ran/;

/** What packages of a name need, in whatever versions, and whether one has scripts. */
const packages = new Map();

function find(directory) {
  for (const name of existsSync(directory) ? readdirSync(directory) : []) {
    if (name.startsWith('@'))
      for (const each of readdirSync(`${directory}/${name}`)) note(directory, `${name}/${each}`);
    else if (!name.startsWith('.')) note(directory, name);
  }
}

function note(directory, name) {
  const path = `${directory}/${name}`;
  let manifest = {};
  try {
    manifest = JSON.parse(readFileSync(`${path}/package.json`, 'utf8')) ?? {};
  } catch {
    // Without one it needs nothing.
  }
  const known = packages.get(name) ?? { needs: new Set(), runs: false };
  packages.set(name, known);
  for (const field of NEEDED) for (const each of Object.keys(manifest[field] ?? {})) known.needs.add(each);
  known.runs ||= SCRIPTS.some(each => manifest.scripts?.[each]) || existsSync(`${path}/binding.gyp`);
  find(`${path}/node_modules`);
}

/** How many must come before, one after the other; of those that need each other, whichever is met first comes last. */
function depthOf(name) {
  const known = packages.get(name);
  if (!known) return 0;
  if (known.depth !== undefined) return known.depth;
  known.depth = 0;
  for (const each of known.needs)
    known.depth = Math.max(known.depth, depthOf(each) + (packages.get(each)?.runs ? 1 : 0));
  return known.depth;
}

/** For node-gyp, which would fetch headers from elsewhere than a registry: those beside bun, where they are of the Node.js that runs here. */
function withHeaders() {
  const directory = dirname(process.execPath);
  const file = `${directory}/include/node/node_version.h`;
  const [, major] = (existsSync(file) && /NODE_MAJOR_VERSION (\d+)/.exec(readFileSync(file, 'utf8'))) || [];
  const { stdout } = spawnSync('node', ['--version'], { encoding: 'utf8' });
  return major && stdout?.startsWith(`v${major}.`) ? { npm_config_nodedir: directory } : {};
}

find(`${root}/node_modules`);
const runs = [...packages].filter(([, each]) => each.runs).map(([name]) => name);
const turns = Map.groupBy(runs, depthOf);
const inOrder = [...turns.keys()].sort((one, other) => one - other).map(depth => turns.get(depth));
const env = runs.length > 0 ? { ...process.env, ...withHeaders() } : process.env;
// Of what is left, whose scripts there are is read from the lockfile.
for (const names of [...inOrder, ['--all']]) {
  const argv = ['pm', '--cwd', root, 'trust', ...names];
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8', env });
  process.stderr.write(stdout + stderr);
  if (status !== 0 && !NONE.test(stdout + stderr)) process.exit(status ?? 1);
}
