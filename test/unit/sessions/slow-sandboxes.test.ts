import { expect, test } from 'vitest';
import { settle, standStill } from '../support/clock.ts';
import { openService } from '../support/open-service.ts';
import { byName, cells, runsOn } from '../support/scripts.ts';

standStill();

test.each([
  ['a program in a terminal', { type: 'execute_shell', commandName: 'sleep', pty: { cols: 80, rows: 24 } }],
  ['a cell', { type: 'execute_code', code: 'wait' }],
])('what %s is sent waits for a sandbox that takes nothing, instead of piling up', async (_, command) => {
  const script = byName({ sleep: runsOn, kernel: cells({ wait: () => new Promise(() => {}) }) });
  const { service, runtime, session, call } = openService({ script, capabilities: { pty: true } });
  const { id: sessionId, execute } = await session();
  execute(command, {}, { stream: true, interactive: true }).catch(() => {});
  await settle();
  const process = runtime.sandboxes.at(-1)!.processes.at(-1)!;
  const room = Promise.withResolvers<void>();
  process.room = room.promise;
  const send = () =>
    'pty' in command
      ? service.processes.resize({ sessionId }, { cols: 10, rows: 10 }, call())
      : service.processes.signal({ sessionId }, 'SIGUSR1', call());
  const sent = Array.from({ length: 50 }, send);
  await settle();
  const came = () => process.sizes.length + process.signals.length;
  expect(came()).toBe(0);
  room.resolve();
  await Promise.all(sent);
  expect(came()).toBeGreaterThan(0);
});
