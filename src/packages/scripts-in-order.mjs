import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';

/**
 * Runs the scripts of all packages of a tree by bun, those of what a package needs before its own, as npm does: `bun pm trust` begins all that it is
 * told of at once. Run by bun, with the directory of the tree as its argument. It ends as the first that fails.
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

find(`${root}/node_modules`);
const runs = [...packages].filter(([, each]) => each.runs).map(([name]) => name);
const turns = Map.groupBy(runs, depthOf);
for (const depth of [...turns.keys()].sort((one, other) => one - other)) {
  const argv = ['pm', '--cwd', root, 'trust', ...turns.get(depth)];
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8' });
  process.stderr.write(stdout + stderr);
  if (status !== 0 && !NONE.test(stdout + stderr)) process.exit(status ?? 1);
}
