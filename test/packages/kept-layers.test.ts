import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { StoreFull } from '../../src/packages/layer-room.ts';
import { npm } from '../../src/packages/npm.ts';
import { python } from '../../src/packages/python.ts';
import { inNpm, inPython, ToldInstalls } from './told-installs.ts';

/** What layers may take here, and more of that than is left beside one that is used. */
const maxBytes = 50_000;
const bytes = 48_000;

/** Whether a layer has room that leaves none for what was there, unless that is used. */
async function hasRoom({ store }: ToldInstalls): Promise<boolean> {
  const incoming = store.begin();
  mkdirSync(join(incoming, 'tree'));
  const adding = store.add(['large'], incoming, { id: 'large', bytes, installed: [] });
  return adding.then(
    () => true,
    error => {
      if (error instanceof StoreFull) return false;
      throw error;
    },
  );
}

test('a layer that pages have found stays while it is noted whose answer it is', async () => {
  using installs = new ToldInstalls({ maxBytes });
  for (const list of ['lead@1.0.0', 'lead@^1']) installs.pages.set(list, '1.0.0');
  installs.said.set('lead@1.0.0', inNpm('of 1.0.0', 'lead', '1.0.0'));
  (await installs.install(npm, ['lead@1.0.0']))[Symbol.dispose]();
  const { store } = installs;
  const answer = store.answer.bind(store);
  let room: boolean | undefined;
  store.answer = async (...asked) => {
    store.answer = answer;
    room = await hasRoom(installs);
    return answer(...asked);
  };
  using installed = await installs.install(npm, ['lead@^1']);
  expect({ room, cached: installed.cached }).toEqual({ room: false, cached: true });
  expect(existsSync(join(store.layers, installed.layer.name))).toBe(true);
});

test('an installer, and a version by itself, stay while the process that has made them ends', async () => {
  using installs = new ToldInstalls({ maxBytes });
  for (const list of ['a', 'a==1']) installs.said.set(list, inPython('of a', 'a==1'));
  const rooms: boolean[] = [];
  installs.ending = async () => void rooms.push(await hasRoom(installs));
  (await installs.install(python, ['a']))[Symbol.dispose]();
  await expect.poll(() => rooms).toEqual([false, false, false]);
});
