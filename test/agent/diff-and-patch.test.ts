import {
  chmodSync,
  cpSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { numbersFrom } from '../support/numbers-from.ts';
import { agentFile } from './builds.ts';
import { files, type Ran, run, ToolRoot } from './tools.ts';

/**
 * Random trees and texts, with git and GNU patch as witnesses: they read what `diff` writes, and `apply_patch` reads what they write.
 * A long one by hand: `CODEBEAKER_PATCH_ROUNDS=500 CODEBEAKER_FUZZ_SEED=$RANDOM npx vitest run test/agent/diff-and-patch.test.ts`.
 */
const ROUNDS = Number(process.env.CODEBEAKER_PATCH_ROUNDS ?? 12);
const SEED = Number(process.env.CODEBEAKER_FUZZ_SEED ?? 20_261_129);

const NAMES = ['a', 'b', 'c d', 'e"q', 'f\ttab', 'é', 'g\nnl', 'sub', 'sub2', 'x.bin', 'a b'];
const PLAIN = ['a', 'b', 'cd', 'sub', 'sub2', 'x.txt'];
const LINES = ['one', 'two', '', 'three', '--- x', '+++ y', '@@ -1 +1 @@', '\\', '}'];

type Random = () => number;
const below = (random: Random, count: number) => Math.floor(random() * count);
const pick = <T>(random: Random, from: readonly T[]): T => from[below(random, from.length)]!;

/** What GNU patch can't do: its trees have no binary files and change no types. */
interface Kind {
  readonly names: readonly string[];
  readonly plain: boolean;
}

function text(random: Random, { plain }: Kind): Buffer {
  if (random() < 0.1) return Buffer.alloc(0);
  const newline = random() < 0.2 ? '\r\n' : '\n';
  const lines = Array.from({ length: 1 + below(random, 40) }, () =>
    random() < 0.3 ? `l${below(random, 30)}` : pick(random, LINES),
  );
  const end = random() < 0.7 ? newline : '';
  const bytes = Buffer.from(lines.join(newline) + end);
  if (plain || random() > 0.12) return bytes;
  const binary = Buffer.from(Array.from({ length: below(random, 3000) }, () => below(random, 256)));
  return Buffer.concat([bytes, random() < 0.5 ? binary : Buffer.alloc(below(random, 5000))]);
}

function changed(random: Random, bytes: Buffer): Buffer {
  const lines = bytes.toString('latin1').split('\n');
  for (let i = 1 + below(random, 4); i > 0; i--) {
    const at = below(random, lines.length + 1);
    const kind = random();
    if (kind < 0.4) lines.splice(at, 0, `new${below(random, 99)}`);
    else if (kind < 0.7) lines.splice(at, 1);
    else if (at < lines.length) lines[at] = `changed${lines[at]}`;
  }
  return Buffer.from(lines.join('\n'), 'latin1');
}

function grow(random: Random, directory: string, kind: Kind, depth = 0): void {
  mkdirSync(directory);
  for (const name of kind.names) {
    if (random() < 0.5) continue;
    const path = join(directory, name);
    const what = random();
    if (what < 0.25 && depth < 2) grow(random, path, kind, depth + 1);
    else if (what < 0.35 && !kind.plain) symlinkSync(pick(random, ['a', '../x', '/etc/passwd', 'sub']), path);
    else writeFileSync(path, text(random, kind), { mode: random() < 0.3 ? 0o755 : 0o644 });
  }
}

function alter(random: Random, directory: string, kind: Kind): void {
  for (const name of readdirSync(directory)) {
    const path = join(directory, name);
    const status = lstatSync(path);
    const what = random();
    const put = (otherwise: number) => {
      rmSync(path, { recursive: true });
      if (what > 0.5 + otherwise) return;
      if (what < 0.05) grow(random, path, kind, 2);
      else if (what < 0.1) symlinkSync('b', path);
      else if (what < 0.15) writeFileSync(path, text(random, kind));
    };
    if (status.isDirectory() && (kind.plain || what > 0.2)) alter(random, path, kind);
    else if (what < 0.2 && !kind.plain) put(0);
    else if (status.isFile() && what < 0.3) rmSync(path);
    else if (status.isFile() && what < 0.6) writeFileSync(path, changed(random, readFileSync(path)));
    else if (status.isFile() && what < 0.7) chmodSync(path, status.mode ^ 0o111);
  }
  if (random() < 0.5) writeFileSync(join(directory, `new${below(random, 9)}`), text(random, kind));
}

/** What a diff can tell of a tree. */
function shown(directory: string, prefix = ''): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of readdirSync(directory)) {
    const path = join(directory, name);
    const status = lstatSync(path);
    if (status.isDirectory()) Object.assign(found, shown(path, `${prefix}${name}/`));
    else if (status.isSymbolicLink()) found[prefix + name] = `-> ${readlinkSync(path)}`;
    else found[prefix + name] = `${status.mode & 0o100} ${readFileSync(path, 'latin1')}`;
  }
  return found;
}

function pair(root: ToolRoot, random: Random, kind: Kind) {
  grow(random, root.at('a'), kind);
  cpSync(root.at('a'), root.at('b'), { recursive: true, verbatimSymlinks: true });
  alter(random, root.at('b'), kind);
  const copy = () => {
    rmSync(root.at('c'), { recursive: true, force: true });
    cpSync(root.at('a'), root.at('c'), { recursive: true, verbatimSymlinks: true });
  };
  return { before: shown(root.at('a')), after: shown(root.at('b')), copy, now: () => shown(root.at('c')) };
}

const fine = (ran: Ran) => expect(`${ran.code} ${ran.stdout.toString()} ${ran.stderr}`).toMatch(/^0 /);

test('a diff of trees, applied, gives the other tree, by us and by git; and ours reads what git writes', () => {
  for (let seed = SEED; seed < SEED + ROUNDS; seed++) {
    using root = new ToolRoot();
    const random = numbersFrom(seed);
    const { before, after, copy, now } = pair(root, random, { names: NAMES, plain: false });
    const diff = root.diff('a', 'b', pick(random, [3, 3, 0, 1, 10]));
    const about = `seed ${seed}`;
    const same = JSON.stringify(before) === JSON.stringify(after);
    expect(JSON.parse(diff.stderr).identical, about).toBe(same);
    if (same) continue;
    copy();
    fine(root.patch(diff.stdout, { target: 'c', dryRun: true }));
    expect(now(), about).toEqual(before);
    fine(root.patch(diff.stdout, { target: 'c' }));
    expect(now(), about).toEqual(after);
    fine(root.patch(diff.stdout, { target: 'c', reverse: true }));
    expect(now(), about).toEqual(before);
    fine(run(['git', 'apply', '--unidiff-zero', '-'], diff.stdout, root.at('c')));
    expect(now(), about).toEqual(after);
    for (const options of [['-M', '-C', '--find-copies-harder'], ['--no-renames', '--full-index'], ['-M']]) {
      copy();
      const theirs = run(['git', 'diff', '--no-index', '--binary', ...options, 'a', 'b'], '', root.path);
      fine(root.patch(theirs.stdout, { target: 'c', strip: 2 }));
      expect(now(), `${about} ${options}`).toEqual(after);
      if (options.includes('-C')) continue;
      fine(root.patch(theirs.stdout, { target: 'c', strip: 2, reverse: true }));
      expect(now(), `${about} ${options}`).toEqual(before);
    }
    expect(readdirSync(root.path).sort()).toEqual(['a', 'b', 'c']);
  }
});

test('GNU patch reads a diff of trees, and ours reads what GNU diff writes', () => {
  for (let seed = SEED; seed < SEED + ROUNDS; seed++) {
    using root = new ToolRoot();
    const { after, copy, now } = pair(root, numbersFrom(seed), { names: PLAIN, plain: true });
    copy();
    fine(run(['patch', '-p1', '-s', '-f'], root.diff('a', 'b').stdout, root.at('c')));
    expect(now(), `seed ${seed}`).toEqual(after);
    copy();
    const theirs = run(['diff', '-ruN', 'a', 'b'], '', root.path).stdout;
    if (theirs.byteLength === 0) continue;
    fine(root.patch(theirs, { target: 'c' }));
    // It tells nothing of modes, and files without content are not there for it.
    const contents = (tree: Record<string, string>) =>
      Object.entries(tree).flatMap(([name, is]) => {
        const content = is.slice(is.indexOf(' ') + 1);
        return content ? [[name, content]] : [];
      });
    expect(contents(now()).sort(), `seed ${seed}`).toEqual(contents(after).sort());
  }
});

test('a hunk is found where GNU patch finds it, with the same offset and fuzz, or not at all', () => {
  const tell = { both: 0, neither: 0 };
  for (let seed = SEED; seed < SEED + 10 * ROUNDS; seed++) {
    using root = new ToolRoot();
    const random = numbersFrom(seed);
    const base = Array.from({ length: 8 + below(random, 50) }, () =>
      random() < 0.4 ? `l${below(random, 40)}` : pick(random, ['a', 'b', '}', '']),
    );
    const write = (name: string, lines: string[]) => writeFileSync(root.at(name), `${lines.join('\n')}\n`);
    const drifted = () =>
      changed(random, Buffer.from(base.join('\n')))
        .toString()
        .split('\n');
    write('old', base);
    write('new', drifted());
    write('f', [...Array(random() < 0.3 ? below(random, 9) : 0).fill('before'), ...drifted()]);
    cpSync(root.at('f'), root.at('g'));
    const patch = run(
      ['diff', '-U3', '--label', 'a/f', '--label', 'b/f', 'old', 'new'],
      '',
      root.path,
    ).stdout;
    if (patch.byteLength === 0) continue;
    const theirs = run(['patch', '-f', '--no-backup-if-mismatch', '--verbose', 'g'], patch, root.path);
    const ours = root.patch(patch);
    expect(ours.code === 0, `seed ${seed}: ${ours.stderr}`).toBe(theirs.code === 0);
    tell[ours.code === 0 ? 'both' : 'neither']++;
    if (ours.code !== 0) continue;
    expect(readFileSync(root.at('f'), 'utf8'), `seed ${seed}`).toBe(readFileSync(root.at('g'), 'utf8'));
    const farthest = (pattern: RegExp) =>
      Math.max(
        0,
        ...[...theirs.stdout.toString().matchAll(pattern)].map(found => Math.abs(Number(found[1]))),
      );
    const [{ offset, fuzz }] = files(ours);
    expect([Math.abs(offset), fuzz], `seed ${seed}`).toEqual([
      farthest(/offset (-?\d+)/g),
      farthest(/fuzz (\d)/g),
    ]);
  }
  expect(Math.min(tell.both, tell.neither)).toBeGreaterThan(0);
});

test('two texts of the same few lines, the worst there are, take bounded steps and give a diff that patch reads', () => {
  using root = new ToolRoot();
  const random = numbersFrom(SEED);
  const lines = (line: (i: number) => string) => Array.from({ length: 50_000 }, (_, i) => line(i)).join('\n');
  const hostile = ['old', 'new'].map(name => [name, lines(() => pick(random, ['a', 'b']))] as const);
  for (const [name, content] of hostile) writeFileSync(root.at(name), content);
  const diff = root.diff('old', 'new');
  fine(diff);
  fine(run(['patch', '-s', 'old'], diff.stdout, root.path));
  expect(readFileSync(root.at('old'), 'utf8') === hostile[1]![1]).toBe(true);
});

test('a million lines are compared and patched in bounded memory', () => {
  using root = new ToolRoot();
  const lines = Array.from({ length: 1_000_000 }, (_, i) => `line${i % 977}`);
  const other = lines.map((line, i) => (i % 20 ? line : `other${i}`));
  writeFileSync(root.at('a'), `${lines.join('\n')}\n`);
  writeFileSync(root.at('b'), `${other.join('\n')}\n`);
  const bounded = (...words: string[]) => ['prlimit', '--as=268435456', agentFile('shipped'), ...words];
  const pair = ['a', 'b'].map(name => `path:${root.at(name)}`);
  const diff = run(bounded('diff', root.at(), '3', '67108864', ...pair));
  fine(diff);
  const patched = run(bounded('patch', root.at(), root.at('.aside'), root.at('a'), '1', '-'), diff.stdout);
  fine(patched);
  expect(readFileSync(root.at('a')).equals(readFileSync(root.at('b')))).toBe(true);
});
