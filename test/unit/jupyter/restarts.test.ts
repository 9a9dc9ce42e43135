import { expect, test } from 'vitest';
import { Kernel } from '../../../routes/jupyter/kernel.ts';
import { Ledger } from '../../../src/service/admission/ledger.ts';
import { CollectedLog } from '../support/collected-log.ts';

/** A kernel that counts its restarts, each of which ends when the test says so. */
function open() {
  const ready = Promise.withResolvers<void>();
  const restarts: (() => void)[] = [];
  const interpreter = {
    begin: () => {},
    stop: () => {},
    prepare: () => ready.promise,
    restart: () => new Promise<void>(resolve => restarts.push(resolve)),
  };
  const kernel = new Kernel({
    spec: {} as never,
    owner: null,
    interpreter: interpreter as never,
    info: async () => ({}),
    end: async () => {},
    held: new Ledger({ perOwner: 100, total: 100 }),
    log: new CollectedLog(),
  });
  return { kernel, restarts, ready: ready.resolve };
}

test('restarts that are asked for before one begins are one', async () => {
  const { kernel, restarts, ready } = open();
  const asked = Array.from({ length: 1000 }, () => kernel.restart());
  expect(restarts).toEqual([]);
  ready();
  await expect.poll(() => restarts.length).toBe(1);
  // This one means what was begun since.
  const later = [kernel.restart(), kernel.restart()];
  restarts[0]!();
  await Promise.all(asked);
  await expect.poll(() => restarts.length).toBe(2);
  restarts[1]!();
  await Promise.all(later);
});

test('one that is over is no restart for who asks later', async () => {
  const { kernel, restarts, ready } = open();
  ready();
  await expect.poll(() => kernel.state).toBe('idle');
  for (const count of [1, 2]) {
    const done = kernel.restart();
    await expect.poll(() => restarts.length).toBe(count);
    restarts[count - 1]!();
    await done;
  }
});
