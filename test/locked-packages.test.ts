import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

// npm install writes the registry of whoever runs it; CONTRIBUTING.md says how to take it out.
test('each package is locked by its digest and by its place in a registry, and no registry is named', () => {
  const root = join(import.meta.dirname, '..');
  const [, host] = /^replace-registry-host=(.+)$/m.exec(readFileSync(join(root, '.npmrc'), 'utf8')) ?? [];
  const lock = readFileSync(join(root, 'package-lock.json'), 'utf8');
  const { '': _own, ...packages }: Record<string, Record<string, string>> = JSON.parse(lock).packages;
  const loose = Object.entries(packages).filter(([path, { integrity, resolved, name }]) => {
    // From the registry's own root on, wherever on its host that is.
    const place = `https://${host}/${name ?? path.split('node_modules/').at(-1)}/-/`;
    return !integrity || !resolved?.startsWith(place);
  });
  expect(loose.map(([path]) => path)).toEqual([]);
});
