import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Ecosystem } from '../../src/packages/ecosystem.ts';
import { npm } from '../../src/packages/npm.ts';
import { python } from '../../src/packages/python.ts';
import { inNpm, inPython, ToldInstalls } from './told-installs.ts';

/** Installs that a package has taken over say what they like: of one list, to be what another gets. Nothing here harms anybody. */

/** What was asked of the installer that has made a list's tree, and whether that was there. */
async function got(installs: ToldInstalls, ecosystem: Ecosystem, ...list: string[]) {
  using installed = await installs.install(ecosystem, list);
  const { layer, cached } = installed;
  return { of: readFileSync(join(installs.store.layers, layer.name, 'from'), 'utf8'), cached };
}

test('an install of Python’s that tells the id of another list’s tree, or its versions, does not give that list its own', async () => {
  using installs = new ToldInstalls();
  const get = (...list: string[]) => got(installs, python, ...list);
  installs.said.set('good', inPython('of good', 'good==1'));
  installs.said.set('good==1', inPython('of good', 'good==1'));
  installs.said.set('good>=1', inPython('of good', 'good==1'));
  // Asked for something else, it says that it is what clients ask for by these names.
  installs.said.set('evil', inPython('of good', 'good==1'));
  expect(await get('evil')).toEqual({ of: 'evil', cached: false });
  // Whatever a list says by itself is its own.
  for (const list of ['good==1', 'good', 'good>=1']) expect((await get(list)).of).not.toBe('evil');
  await expect.poll(() => get('good')).toEqual({ of: 'good==1', cached: true });
  expect(await get('good>=1')).toEqual({ of: 'good==1', cached: true });
});

test('versions that an install tells find its tree for no list that names the same packages otherwise', async () => {
  using installs = new ToldInstalls();
  const get = (...list: string[]) => got(installs, npm, ...list);
  const old = (of: string) => installs.said.set(of, inNpm('of 1.0.0', 'lead', '1.0.0'));
  // Its newest version has taken it over, and says that it is the old one.
  for (const list of ['lead@latest', 'lead@1.0.0', 'lead@<=1', 'lead@^1']) old(list);
  for (const [wanted, version] of [
    ['lead@', '2.0.0'],
    ['lead@1.0.0', '1.0.0'],
    ['lead@<=1', '1.0.0'],
    ['lead@^1', '1.0.0'],
  ] as const)
    installs.pages.set(wanted, version);
  expect(await get('lead')).toEqual({ of: 'lead@latest', cached: false });
  expect(await get('lead@1.0.0')).toEqual({ of: 'lead@1.0.0', cached: false });
  expect(await get('lead@<=1')).toEqual({ of: 'lead@1.0.0', cached: true });
  installs.pages.delete('lead@^1');
  expect(await get('lead@^1')).toEqual({ of: 'lead@^1', cached: false });
});
