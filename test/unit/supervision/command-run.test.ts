import { expect, test } from 'vitest';
import { collectAll, MemoryBack } from '../../../src/memory-back.ts';
import { CommandRun } from '../../../src/service/supervision/command-run.ts';
import type { RunHandle } from '../../../src/service/supervision/program.ts';

/** Starts a run by a handle that nobody else has. */
function started(run: CommandRun): WeakRef<RunHandle> {
  const handle = { pid: 1, argv: [], input: null, drained: () => undefined, signal() {} };
  run.started(handle);
  return new WeakRef<RunHandle>(handle);
}

test('a run that has ended keeps nothing of how its program was reached', async () => {
  const run = new CommandRun('a', false);
  const handle = started(run);
  expect(await run.handle()).toBe(handle.deref());
  run.finished('completed', {});
  await new Promise(setImmediate);
  new MemoryBack(collectAll).rest();
  expect(handle.deref()).toBeUndefined();
  expect(await run.handle()).toBeNull();
});
