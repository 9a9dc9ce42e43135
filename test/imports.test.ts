import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path/posix';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');

/** From the top down: a part may import parts of lower lines only, and itself. */
const LEVELS = [
  ['openapi', 'cli'],
  ['server.ts'],
  ['start.ts'],
  ['app.ts', 'startup-report.ts', 'data-dir.ts'],
  ['routes'],
  ['plugins'],
  ['rpc'],
  ['service'],
  ['packages', 'network'],
  ['commands', 'runtimes'],
  ['launcher'],
  ['languages', 'agent', 'agent-client', 'kernels'],
  ['toolchains'],
  ['confined'],
  ['wire', 'cgroup', 'seccomp'],
  ['config.ts'],
  ['network-rules'],
  ['schemas', 'metrics.ts'],
  ['event-loop.ts', 'memory-back.ts'],
  [
    'bundle',
    'client',
    'sandbox.ts',
    'call-log.ts',
    'errors.ts',
    'use.ts',
    'version.ts',
    'loopback.ts',
    'make-directories.ts',
    'nearest.ts',
    'port-check.ts',
    'port-names.ts',
    'precedence.ts',
    'same-secret.ts',
    'shutdown.ts',
  ],
];
const levelOf = new Map(LEVELS.flatMap((parts, level) => parts.map(part => [part, level] as const)));

/** `src/rpc/order.ts` belongs to `rpc`, `plugins/guard.ts` to `plugins`. */
const partOf = (file: string) => file.split('/')[file.startsWith('src/') ? 1 : 0] ?? '';

/** Relative imports of a file, as paths from the root. */
const importsOf = (file: string) =>
  [...readFileSync(join(ROOT, file), 'utf8').matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)].map(
    ([, target = '']) => normalize(join(dirname(file), target)),
  );

const files = globSync('{src,plugins,routes,openapi}/**/*.ts', { cwd: ROOT }).filter(
  file => !file.endsWith('.d.ts'),
);

test('every part of the code has its place in the order', () => {
  const unknown = new Set(files.map(partOf).filter(part => !levelOf.has(part)));
  expect([...unknown]).toEqual([]);
  expect(files.length).toBeGreaterThan(100);
});

test('imports only point down', () => {
  const wrong = files.flatMap(file => {
    return importsOf(file).flatMap(target => {
      const [from, to] = [partOf(file), partOf(target)];
      return from === to || levelOf.get(from)! < levelOf.get(to)! ? [] : [`${file} imports ${target}`];
    });
  });
  expect(wrong).toEqual([]);
});

test('a door imports no other door', () => {
  const isDoor = (name: string | undefined) => files.includes(`routes/${name}/index.ts`);
  const doorOf = (file: string) => {
    const [top, name] = file.split('/');
    return top === 'routes' && isDoor(name) ? name : undefined;
  };
  expect(files.filter(doorOf).length).toBeGreaterThan(50);
  const wrong = files.filter(doorOf).flatMap(file => {
    const others = importsOf(file).filter(target => (doorOf(target) ?? doorOf(file)) !== doorOf(file));
    return others.map(target => `${file} imports ${target}`);
  });
  expect(wrong).toEqual([]);
});

test('no file imports itself through others', () => {
  const known = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) throw new Error([...path.slice(path.indexOf(file)), file].join(' imports '));
    if (known.has(file)) return;
    for (const target of importsOf(file)) if (files.includes(target)) visit(target, [...path, file]);
    known.add(file);
  };
  for (const file of files) visit(file, []);
});

test('no folder imports itself through others', () => {
  const folders = new Map<string, Set<string>>();
  const isWithin = (inner: string, outer: string) => `${inner}/`.startsWith(`${outer}/`);
  for (const file of files)
    for (const target of importsOf(file)) {
      const [from, to] = [dirname(file), dirname(target)];
      // A folder and what lies in it are one; single files of src/ have their places above.
      if (from !== 'src' && to !== 'src' && !isWithin(from, to) && !isWithin(to, from))
        folders.set(from, (folders.get(from) ?? new Set()).add(to));
    }
  const known = new Set<string>();
  const visit = (folder: string, path: readonly string[]): void => {
    if (path.includes(folder))
      throw new Error([...path.slice(path.indexOf(folder)), folder].join(' imports '));
    if (known.has(folder)) return;
    for (const target of folders.get(folder) ?? []) visit(target, [...path, folder]);
    known.add(folder);
  };
  for (const folder of folders.keys()) visit(folder, []);
});
