import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path/posix';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');

/** From the top down: a part may import parts of lower lines only, and itself. */
const LEVELS = [
  ['openapi'],
  ['server.ts'],
  ['app.ts', 'startup-report.ts', 'data-dir.ts'],
  ['routes'],
  ['plugins'],
  ['rpc'],
  ['service'],
  ['commands', 'runtimes'],
  ['launcher'],
  ['languages', 'agent', 'agent-client', 'kernels'],
  ['toolchains'],
  ['wire', 'cgroup', 'seccomp'],
  ['config.ts'],
  ['schemas'],
  ['sandbox.ts', 'errors.ts', 'metrics.ts', 'version.ts', 'loopback.ts'],
];
const levelOf = new Map(LEVELS.flatMap((parts, level) => parts.map(part => [part, level] as const)));

/** `src/rpc/order.ts` belongs to `rpc`, `plugins/guard.ts` to `plugins`. */
const partOf = (file: string) => file.split('/')[file.startsWith('src/') ? 1 : 0] ?? '';

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
    const text = readFileSync(join(ROOT, file), 'utf8');
    return [...text.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)].flatMap(([, target = '']) => {
      const [from, to] = [partOf(file), partOf(normalize(join(dirname(file), target)))];
      return from === to || levelOf.get(from)! < levelOf.get(to)! ? [] : [`${file} imports ${target}`];
    });
  });
  expect(wrong).toEqual([]);
});
