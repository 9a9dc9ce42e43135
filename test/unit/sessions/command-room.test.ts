import { expect, test } from 'vitest';
import { answerInTime } from '../../../routes/rest/answer-in-time.ts';
import { commandBytes } from '../../../src/service/sessions/command-room.ts';
import { pass, settle, standStill } from '../support/clock.ts';
import { openService } from '../support/open-service.ts';
import { byName, cells, ends, runsOn } from '../support/scripts.ts';

/** What clients leave waiting in sessions, also those that have gone away, has a bound. */
standStill();

const MB = 1024 * 1024;
const LARGE = 'x'.repeat(30 * MB);
const script = byName({ sleep: runsOn, true: ends(), kernel: cells({ wait: () => new Promise(() => {}) }) });
const full = { code: 'QUEUE_FULL', message: expect.stringContaining('Commands that wait or run') };

test.for([
  ['a cell that waits for another', { type: 'execute_code', code: '1', stdin: LARGE }],
  ['a cell in the background', { type: 'execute_code', code: '1', stdin: LARGE, background: true }],
  [
    'a program in the background',
    { type: 'execute_shell', commandName: 'sleep', stdin: LARGE, background: true },
  ],
] as const)('of %s, so many have room, and another owner’s', async ([, command]) => {
  const { session, service, call } = openService({ script, settings: { maxConcurrency: 100 } });
  const [mine, other] = [await session({}, { owner: 'a' }), await session({}, { owner: 'b' })];
  mine.cell('wait').catch(() => {});
  await settle();
  for (let i = 0; i < 8; i++) mine.execute(command).catch(() => {});
  await settle();
  await expect(mine.execute(command)).rejects.toMatchObject(full);
  expect(await other.shell('true')).toMatchObject({ success: true });
  await service.sessions.close(mine.id, call({ owner: 'a' }));
  await settle();
  const again = await session({}, { owner: 'a' });
  expect(await again.shell('true', { stdin: LARGE })).toMatchObject({ success: true });
});

test('a batch is counted with all its commands, and gives their room back', async () => {
  const { session, service, call } = openService({ script });
  const { batch } = await session({}, { owner: 'a' });
  const command = { type: 'execute_shell', commandName: 'true', stdin: LARGE };
  const tooMuch = { commands: Array(10).fill(command) };
  await expect(batch(tooMuch)).rejects.toMatchObject(full);
  for (let i = 0; i < 10; i++) expect(await batch({ commands: [command] })).toMatchObject({ success: true });
  expect((await service.sessions.list({}, call({ owner: 'a' }))).count).toBe(1);
});

test('a command counts as much as its texts take, wherever they lie', () => {
  const bytes = (params: object) => commandBytes({ params } as never);
  expect(bytes({})).toBeGreaterThan(4000);
  expect(bytes({ stdin: LARGE })).toBeGreaterThan(30 * MB);
  expect(bytes({ content: 'é'.repeat(MB) })).toBeGreaterThan(2 * MB);
  expect(bytes({ args: Array(4096).fill('x'.repeat(1000)) })).toBeGreaterThan(4 * MB);
  expect(bytes({ environment: { ['n'.repeat(MB)]: 'x'.repeat(MB) } })).toBeGreaterThan(3 * MB);
});

test('a client whose wait is over before its command could begin hears why it did not', async () => {
  const { service, call } = openService({ script });
  const running = Promise.withResolvers<{ result: object }>();
  const asked = { service, sessionId: 'one', call: call() };
  const reply = { header: () => reply } as never;
  const answer = answerInTime(
    { headers: { prefer: 'wait=0' }, query: {} },
    reply,
    asked,
    () => running.promise,
  );
  running.promise.catch(() => {});
  await settle();
  setTimeout(() => running.reject(new Error('no room')), 10);
  const heard = answer.catch((error: Error) => error.message);
  await pass(20);
  expect(await heard).toBe('no room');
});
