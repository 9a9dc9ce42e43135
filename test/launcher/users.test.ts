import { expect, test } from 'vitest';
import { Users } from '../../src/launcher/users.ts';

/** How many of each kind there can be. */
const KINDS = [
  ['local', 4096],
  ['container', 4032],
  ['registry', 63],
  ['egress', 1],
] as const;

test('no two sandboxes of one instance are the same user, of whatever kind', () => {
  const uids = KINDS.flatMap(([kind, length]) => {
    const users = new Users('mine', kind);
    return Array.from({ length }, () => users.take());
  });
  expect(new Set(uids).size).toBe(uids.length);
});

test('users are those that no system assigns, and that an engine takes', () => {
  for (const instance of ['a', 'zzzzzzzzzzzz', '0123456789ab', 'ffffffffffff', 'ffffffffffff-go'])
    for (const [kind, length] of KINDS) {
      const users = new Users(instance, kind);
      const uids = Array.from({ length }, () => users.take());
      expect(Math.min(...uids)).toBeGreaterThanOrEqual(0x7000_0000);
      expect(Math.max(...uids)).toBeLessThanOrEqual(0x7fff_ffff);
      expect(() => users.take()).toThrow(`no more than ${length} sandboxes`);
      users.give(uids.at(-1)!);
      expect(users.take()).toBe(uids.at(-1));
    }
});

test('a user that was given back is not the next one', () => {
  const users = new Users('mine');
  const first = users.take();
  users.give(first);
  expect(users.take()).not.toBe(first);
});
