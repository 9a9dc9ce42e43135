import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  constants,
  ftruncateSync,
  lchownSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join, sep } from 'node:path';

/** A number from 0 to below the limit, or of a list one. */
export interface Dice {
  below(limit: number): number;
  of<T>(list: readonly T[]): T;
}

export function diceOf(random: () => number): Dice {
  const below = (limit: number) => Math.floor(random() * limit);
  return { below, of: list => list[below(list.length)]! };
}

const NAMES = ['a', 'b', 'c', 'dir', '.hidden', 'name with spaces', 'é', '\u00ff'];
const MODES = [0o644, 0o600, 0o400, 0o000, 0o755, 0o4755];
const DIRECTORY_MODES = [0o755, 0o700, 0o500, 0o000, 0o1777];

/** Everything below a directory, and itself. */
export function pathsIn(root: string): { directories: string[]; others: string[] } {
  const found = { directories: [root], others: [] as string[] };
  for (const directory of found.directories)
    for (const entry of readdirSync(directory, { withFileTypes: true }))
      (entry.isDirectory() ? found.directories : found.others).push(join(directory, entry.name));
  return found;
}

type Deed = (dice: Dice, root: string) => void;

/** Where links of the tree point: some into it, some out of it, one to where nothing can be made. */
const TARGETS = ['a', '../b', '.', 'a/b', '/proc/nowhere'];

const anywhere = (dice: Dice, root: string) => join(dice.of(pathsIn(root).directories), dice.of(NAMES));
const file = (dice: Dice, root: string) =>
  dice.of(pathsIn(root).others.filter(path => lstatSync(path).isFile())) ?? anywhere(dice, root);
const anything = (dice: Dice, root: string) => {
  const { directories, others } = pathsIn(root);
  return dice.of([...directories.slice(1), ...others]) ?? anywhere(dice, root);
};

/**
 * What a path stands for, through links. Whatever follows a link must ask: nothing outside of the tree is to be touched.
 * @throws {Error} a link leads nowhere or outside
 */
function followed(path: string, root: string): string {
  if (!lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) return path;
  const real = realpathSync(path);
  if (real !== root && !real.startsWith(root + sep)) throw new Error(`${path} leads outside`);
  return real;
}

const text = (dice: Dice) => String.fromCharCode(97 + dice.below(26)).repeat(dice.below(10_000));
const time = (dice: Dice) => dice.below(2_000_000_000) + dice.below(1_000_000) / 1_000_000;

/** What programs do to a tree; each may fail. */
const DEEDS: readonly Deed[] = [
  (dice, root) => write(followed(anywhere(dice, root), root), text(dice)),
  (dice, root) => mkdirSync(join(followed(anywhere(dice, root), root), dice.of(NAMES)), { recursive: true }),
  (dice, root) => symlinkSync(dice.of(TARGETS), anywhere(dice, root)),
  (dice, root) => linkSync(file(dice, root), anywhere(dice, root)),
  (dice, root) => execFileSync('mkfifo', [anywhere(dice, root)], { stdio: 'ignore' }),
  (dice, root) => sparse(followed(anywhere(dice, root), root), dice),
  (dice, root) => lutimesSync(anything(dice, root), time(dice), time(dice)),
];
const CHANGES: readonly Deed[] = [
  ...DEEDS,
  (dice, root) => append(file(dice, root), text(dice)),
  (dice, root) => sparse(file(dice, root), dice),
  (dice, root) => resize(file(dice, root), dice.below(5000)),
  (dice, root) => chmodSync(followed(anything(dice, root), root), dice.of(MODES)),
  (dice, root) => chmodSync(root, dice.of(DIRECTORY_MODES)),
  (dice, root) => renameSync(anything(dice, root), anywhere(dice, root)),
  (dice, root) => renameSync(anything(dice, root), anything(dice, root)),
  (dice, root) => unlinkSync(anything(dice, root)),
  (dice, root) => rmSync(anything(dice, root), { recursive: true }),
  (dice, root) => {
    const path = anything(dice, root);
    rmSync(path, { recursive: true });
    if (dice.below(2)) mkdirSync(path);
    else write(path, text(dice));
  },
];

/** Opens a file to be written: no link, and no pipe whose reader would be waited for. */
const WRITES = constants.O_WRONLY | constants.O_CREAT | constants.O_NONBLOCK | constants.O_NOFOLLOW;

function write(path: string, data: string): void {
  const fd = openSync(path, WRITES | constants.O_TRUNC);
  writeSync(fd, data);
  closeSync(fd);
}

function append(path: string, data: string): void {
  const fd = openSync(path, WRITES | constants.O_APPEND);
  writeSync(fd, data);
  closeSync(fd);
}

function resize(path: string, size: number): void {
  const fd = openSync(path, WRITES);
  ftruncateSync(fd, size);
  closeSync(fd);
}

function sparse(path: string, dice: Dice): void {
  const writer = openSync(path, WRITES);
  writeSync(writer, text(dice), dice.below(300_000));
  if (dice.below(2)) ftruncateSync(writer, dice.below(1_000_000));
  closeSync(writer);
}

function attempt(deeds: readonly Deed[], count: number, dice: Dice, root: string): void {
  for (let i = 0; i < count; i++) {
    try {
      dice.of(deeds)(dice, root);
    } catch {
      // Many can't be done to what is there.
    }
  }
}

/** Has everything belong to one user, as in a sandbox. */
function own(root: string, uid: number): void {
  const { directories, others } = pathsIn(root);
  for (const path of [...directories, ...others]) lchownSync(path, uid, uid);
}

/** Fills an empty directory. */
export function grow(dice: Dice, root: string, uid: number): void {
  attempt(DEEDS, 10 + dice.below(40), dice, root);
  own(root, uid);
  const { directories, others } = pathsIn(root);
  for (const path of others)
    if (lstatSync(path).isFile() && dice.below(3) === 0) chmodSync(path, dice.of(MODES));
  for (const path of [...directories].reverse()) {
    if (dice.below(3) === 0) chmodSync(path, dice.of(DIRECTORY_MODES));
    lutimesSync(path, time(dice), time(dice));
  }
}

/** Changes what is there as programs do. */
export function change(dice: Dice, root: string, uid: number): void {
  attempt(CHANGES, 1 + dice.below(60), dice, root);
  own(root, uid);
}
