import { expect, test } from 'vitest';
import { settle, standStill } from '../support/clock.ts';
import { openService } from '../support/open-service.ts';
import { byName, runsOn } from '../support/scripts.ts';

/** A program need not read what it is sent: its clients' messages wait in the service's memory until then. */
standStill();

const MB = 1024 * 1024;
const LARGE = Buffer.alloc(8 * MB);

test('input that no program takes has a bound for each owner, and leaves others theirs', async () => {
  const { service, runtime, session, call } = openService({ script: byName({ sleep: runsOn }) });
  const sessions = { a: await session({}, { owner: 'a' }), b: await session({}, { owner: 'b' }) };
  const command = { type: 'execute_shell', commandName: 'sleep' };
  for (const { execute } of Object.values(sessions))
    execute(command, {}, { stream: true, interactive: true }).catch(() => {});
  await settle();
  const room = Promise.withResolvers<void>();
  for (const { processes } of runtime.sandboxes) processes.at(-1)!.room = room.promise;
  const send = (owner: 'a' | 'b', data: Uint8Array = LARGE) =>
    service.processes.input({ sessionId: sessions[owner].id }, data, false, call({ owner }));
  // With the messages that they came in 32 MB each, beside the command itself.
  const waiting = Array.from({ length: 7 }, () => send('a'));
  await settle();
  await expect(send('a')).rejects.toMatchObject({ code: 'QUEUE_FULL' });
  waiting.push(send('b'));
  await settle();
  room.resolve();
  await Promise.all(waiting);
  await send('a');
  await service.processes.input({ sessionId: sessions.a.id }, new Uint8Array(0), true, call({ owner: 'a' }));
});
