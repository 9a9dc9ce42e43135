import { expect, test } from 'vitest';
import { countMemoryGroups, DeadGroups } from '../../src/cgroup/dead-groups.ts';

const MB = 1024 * 1024;

test('what has read no file goes as it is, however many are dead', async () => {
  let dead = 0;
  const groups = new DeadGroups(() => dead);
  dead = 1000;
  expect(await groups.mustReclaim(async () => 0)).toBe(false);
});

test('a few may stay for what they have read; then it is given back, unless it is much', async () => {
  let dead = 500;
  const groups = new DeadGroups(() => dead);
  dead += 31;
  expect(await groups.mustReclaim(async () => MB)).toBe(false);
  dead += 1;
  expect(await groups.mustReclaim(async () => MB)).toBe(true);
  expect(await groups.mustReclaim(async () => 16 * MB)).toBe(false);
});

test('those that others have left make no room for more when they go', async () => {
  let dead = 2000;
  const groups = new DeadGroups(() => dead);
  dead = 100;
  expect(await groups.mustReclaim(async () => MB)).toBe(false);
  dead += 32;
  // While there are few, one group of eight looks.
  for (let i = 0; i < 7; i++) expect(await groups.mustReclaim(async () => MB)).toBe(false);
  expect(await groups.mustReclaim(async () => MB)).toBe(true);
  expect(groups.tooMany()).toBe(true);
});

test('where the kernel does not tell how many there are, everything is given back', async () => {
  const groups = new DeadGroups(() => {
    throw new Error('no such file');
  });
  expect(await groups.mustReclaim(async () => 4096)).toBe(true);
});

test('memory groups are counted as /proc/cgroups has them', () => {
  const text = '#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpu\t1\t2\t1\nmemory\t4\t45\t1\n';
  expect(countMemoryGroups(text)).toBe(45);
  const nothing = '#subsys_name\thierarchy\tnum_cgroups\tenabled\n';
  expect(() => countMemoryGroups(nothing)).toThrow(/does not count/);
});
