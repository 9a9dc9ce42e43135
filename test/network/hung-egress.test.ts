import { expect, test } from 'vitest';
import { EgressProcess } from '../../src/network/egress-process.ts';

const SETUP = {
  uid: null,
  ceiling: { allow: [], deny: [], private: [] },
  resolvers: [],
  proxy: null,
  certificates: null,
  bytesPerSecond: 1024,
};

test('an egress process that was stopped is given up and ended', async () => {
  const lost: string[] = [];
  await using egress = await EgressProcess.start(SETUP, why => lost.push(why), 50);
  process.kill(egress.pid!, 'SIGSTOP');
  await egress.ended;
  expect(lost).toEqual(['it does not answer']);
  expect(egress.dead).toBe(true);
  await egress[Symbol.asyncDispose]();
  await expect.poll(() => isAlive(egress.pid!)).toBe(false);
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
