import { expect, test } from 'vitest';
import { CpuTurns } from '../../src/runtimes/cpu-turns.ts';

test('sandboxes take the CPUs that the fewest others have', () => {
  const turns = new CpuTurns(4);
  const firsts = [1, 0.05, 1.5, 1].map(cpus => turns.take(cpus).first);
  expect(firsts).toEqual([0, 1, 2, 0]);
  turns.give({ first: 1, count: 1 });
  expect(turns.take(1)).toEqual({ first: 1, count: 1 });
});

test('a limit means whole CPUs, and no more than there are', () => {
  const counts = [0.05, 1, 1.01, 3, 64].map(cpus => new CpuTurns(3).take(cpus).count);
  expect(counts).toEqual([1, 1, 2, 3, 3]);
  const turns = new CpuTurns(3);
  expect([turns.take(2), turns.take(2)]).toEqual([
    { first: 0, count: 2 },
    { first: 1, count: 2 },
  ]);
});
