import {
  accessSync,
  constants,
  copyFileSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname } from 'node:path';
import { assembleFilter } from '../seccomp/filter.ts';
import { makeEtc } from './etc.ts';
import { BASE } from './layout.ts';
import { bind, enterRoot, MS, mount, setMountFlags, unmount } from './libc.ts';
import { bundle, FOR_BUN, makeLibrary } from './library.ts';
import type { LauncherSetup, Tree } from './protocol.ts';

/** Directories that every system has; the first without anything of ours in it is covered. */
const PLACES = ['/mnt', '/media', '/srv', '/opt', '/tmp'];
/** Only what is written counts; it is this much where interpreters must be copied. */
const BASE_OPTIONS = 'mode=0755,size=1g';
const DEVICES = ['null', 'zero', 'full', 'random', 'urandom', 'tty'];
const DEVICE_LINKS = { fd: '/proc/self/fd', stdin: 'fd/0', stdout: 'fd/1', stderr: 'fd/2', ptmx: 'pts/ptmx' };
/** What lies at the root of a system beside /usr; links into it, or directories where /usr is not merged. */
const ROOT_NAMES = ['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32'];

/**
 * Lays out what every sandbox sees, in memory, and makes it the launcher's own root. The launcher's mounts are then
 * these few, whatever the host has mounted: bubblewrap's cost grows with them, and what is not there can't leak.
 * `groups` are the directories of control groups that the launcher goes on to use.
 */
export async function enterBase(setup: LauncherSetup, groups: readonly string[]): Promise<void> {
  const place = placeBeside([
    setup.source,
    ...setup.programs.map(({ path }) => path),
    ...setup.trees.map(({ source }) => source),
  ]);
  mount('tmpfs', place, MS.NOSUID | MS.NODEV, BASE_OPTIONS);
  // bubblewrap puts its sandboxes together at /tmp.
  for (const path of [BASE.inside, BASE.devices, BASE.disks, BASE.root, '/tmp']) mkdirSync(`${place}${path}`);
  writeFileSync(`${place}${BASE.nothing}`, '');
  writeFileSync(`${place}${BASE.filter}`, assembleFilter(process.arch === 'arm64' ? 'arm64' : 'x64'));
  await makeInside(setup, `${place}${BASE.inside}`, place);
  makeDevices(`${place}${BASE.devices}`);
  const { source, bun } = setup;
  const zygote = [
    `${source}/launcher/zygote/main.ts`,
    '--outdir',
    place,
    '--entry-naming',
    basename(BASE.zygote),
  ];
  await bundle(bun, [...FOR_BUN, ...zygote]);
  for (const path of ['/proc', ...groups]) {
    mkdirSync(`${place}${path}`, { recursive: true });
    bind(path, `${place}${path}`);
  }
  // The launcher runs the same programs: sh, setpriv and bubblewrap.
  for (const name of ['usr', 'etc', ...ROOT_NAMES]) {
    if (lstatSync(`${place}${BASE.inside}/${name}`, { throwIfNoEntry: false }))
      symlinkSync(`inside/${name}`, `${place}/${name}`);
  }
  enterRoot(place);
}

/** Lays out the root of forked sandboxes. @throws where the kernel can't */
export function makeRoot(): void {
  bind(BASE.inside, BASE.root);
  setMountFlags(BASE.root, MS.RDONLY | MS.NOSUID | MS.NODEV, { recursive: true });
  bind(BASE.devices, `${BASE.root}/dev`);
  setMountFlags(`${BASE.root}/dev`, MS.NOSUID, { recursive: true });
  setMountFlags(`${BASE.root}/dev`, MS.RDONLY);
}

/** Also one that is only half there: bubblewrap's cost grows with every mount. */
export function removeRoot(): void {
  try {
    unmount(BASE.root);
  } catch {
    // Nothing was mounted.
  }
}

function placeBeside(paths: readonly (string | undefined)[]): string {
  const place = PLACES.find(
    candidate => existsSync(candidate) && !paths.some(path => path?.startsWith(`${candidate}/`)),
  );
  if (!place) throw new Error(`one of ${PLACES.join(', ')} must be free of what the service needs`);
  return place;
}

async function makeInside(setup: LauncherSetup, inside: string, place: string): Promise<void> {
  for (const name of ['usr', 'proc', 'dev', 'workspace', 'tmp', 'home/sandbox']) {
    mkdirSync(`${inside}/${name}`, { recursive: true });
  }
  bind('/usr', `${inside}/usr`);
  for (const name of ROOT_NAMES) showRootName(name, inside);
  makeEtc(`${inside}/etc`);
  const local = `${place}/local`;
  mkdirSync(`${local}/bin`, { recursive: true });
  await makeLibrary(setup, `${local}/lib/codebeaker`);
  // The host's own /usr/local is nobody's business.
  bind(local, `${inside}/usr/local`);
  const trees = `${place}/trees`;
  mkdirSync(trees);
  for (const { name, path } of setup.programs)
    showProgram(path, `${inside}/usr/local/bin/${name}`, trees, setup.root);
  for (const tree of setup.trees) showTree(tree, `${inside}/usr/local`, trees);
}

function showRootName(name: string, inside: string): void {
  const entry = lstatSync(`/${name}`, { throwIfNoEntry: false });
  if (entry?.isSymbolicLink()) symlinkSync(readlinkSync(`/${name}`), `${inside}/${name}`);
  else if (entry?.isDirectory()) {
    mkdirSync(`${inside}/${name}`);
    bind(`/${name}`, `${inside}/${name}`);
  }
}

/** Shows one file read-only; see {@link overlay}. Where that can't be, it is copied. */
function showProgram(path: string, target: string, trees: string, root: boolean): void {
  try {
    if (root && (statSync(path).mode & 0o5) !== 0o5) throw new Error('only its owner may run it');
    const tree = overlay(dirname(path), `${trees}/${basename(target)}`, trees);
    writeFileSync(target, '');
    bind(`${tree}/${basename(path)}`, target);
    unmount(tree);
  } catch {
    copyFileSync(path, target);
    accessSync(target, constants.X_OK);
  }
}

/** Programs are links, not files: Python and Go find their library from where their executable really lies. */
function showTree({ source, target, programs }: Tree, local: string, trees: string): void {
  const place = `${local}/${target}`;
  try {
    overlay(source, place, trees);
  } catch {
    cpSync(source, place, { recursive: true, verbatimSymlinks: true });
  }
  for (const [name, path] of Object.entries(programs))
    symlinkSync(`../${target}/${path}`, `${local}/bin/${name}`);
}

/**
 * Shows a directory of the host read-only under another name. An overlay of one layer copies nothing, hides where the
 * layer comes from (it is given relative to the working directory), and lets a user in who may not pass the
 * directories above it. @throws where the kernel has no overlay for us
 */
function overlay(source: string, target: string, trees: string): string {
  mkdirSync(target);
  const empty = `${trees}/empty`;
  mkdirSync(empty, { recursive: true });
  const before = process.cwd();
  try {
    process.chdir(source);
    mount('overlay', target, MS.RDONLY | MS.NOSUID | MS.NODEV, `lowerdir=.:${empty}`);
  } finally {
    process.chdir(before);
  }
  return target;
}

/** The harmless ones. Mounted, not made: an ordinary user may make none. */
function makeDevices(directory: string): void {
  for (const name of DEVICES) {
    writeFileSync(`${directory}/${name}`, '');
    bind(`/dev/${name}`, `${directory}/${name}`);
  }
  for (const [name, target] of Object.entries(DEVICE_LINKS)) symlinkSync(target, `${directory}/${name}`);
  for (const name of ['pts', 'shm']) mkdirSync(`${directory}/${name}`);
}
