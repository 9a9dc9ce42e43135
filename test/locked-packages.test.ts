import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

test('each package is locked by its digest, and by its address, without which npm asks for a list of all its versions', () => {
  const lock = readFileSync(join(import.meta.dirname, '../package-lock.json'), 'utf8');
  const { '': _own, ...packages }: Record<string, Record<string, string>> = JSON.parse(lock).packages;
  const loose = Object.entries(packages).filter(
    ([, { integrity, resolved }]) => !integrity || !resolved?.startsWith('https://registry.npmjs.org/'),
  );
  expect(loose.map(([path]) => path)).toEqual([]);
});
