import { expect, test } from 'vitest';
import { moveAll } from '../../src/cgroup/move-all.ts';

/** A group whose processes come and go as they do while a server starts beside others. */
function group(...looks: number[][]) {
  const moved: number[] = [];
  const fail = (code: string) => {
    throw Object.assign(new Error(code), { code });
  };
  return {
    moved,
    look: () => looks.shift() ?? [],
    gone: (pid: number) => (pid === 2 ? fail('ESRCH') : void moved.push(pid)),
    refused: () => fail('EACCES'),
  };
}

test('a process that ended before it was moved keeps none of the others', () => {
  const { look, gone, moved } = group([1, 2, 3]);
  moveAll(look, gone);
  expect(moved).toEqual([1, 3]);
});

test('what was forked meanwhile is moved as well', () => {
  const { look, gone, moved } = group([1, 3], [4], [5]);
  moveAll(look, gone);
  expect(moved).toEqual([1, 3, 4, 5]);
});

test('a group that never empties is left as it is, and one that is not ours is told', () => {
  const moved: number[] = [];
  moveAll(
    () => [7],
    pid => void moved.push(pid),
  );
  expect(moved).toContain(7);
  const { look, refused } = group([1]);
  expect(() => moveAll(look, refused)).toThrow('EACCES');
});
