import { expect, onTestFinished, test } from 'vitest';
import { LIMITS } from '../../../src/schemas/limits.ts';
import { openDoors } from '../../routes/rest-door.ts';
import { openService, readAll } from '../support/open-service.ts';
import { ends } from '../support/scripts.ts';

/** Events of runs that have ended are in memory while they are read again, of all readers up to a bound. */
const MB = 1024 * 1024;
const TEXT = 'x'.repeat(16 * MB);
const MOST_OF_ONE = LIMITS.replaysBytes.perOwner / (32 * MB) - 1;

/** A run of each owner that has printed 32 MiB, as the store tells. */
async function stored(owners: readonly string[]) {
  const all = openService({ script: ends() });
  const { run, service, call, store } = all;
  const ids = new Map<string, string>();
  for (const owner of owners) ids.set(owner, (await run({}, { owner })).executionId);
  const get = store.get.bind(store);
  store.get = async id => {
    const execution = (await get(id))!;
    const origin = { executionId: id, sessionId: null, commandId: null, stream: 'stdout' } as const;
    const output = [1, 2].map(
      seq => ({ method: 'execution.output', params: { ...origin, seq, text: TEXT } }) as const,
    );
    return { ...execution, events: output };
  };
  return (owner: string, signal = new AbortController().signal) =>
    service.executions.events(ids.get(owner)!, call({ owner, signal }), 0);
}

test('so many readers are served, of an owner half of them, and those that leave make room', async () => {
  const follow = await stored(['a', 'b']);
  const full = { code: 'QUEUE_FULL', message: expect.stringContaining('being read') };
  const gone = new AbortController();
  const streams = [await follow('a', gone.signal)];
  while (streams.length < MOST_OF_ONE) streams.push(await follow('a'));
  await expect(follow('a')).rejects.toMatchObject(full);
  expect(await readAll(follow('b'))).toHaveLength(2);
  gone.abort();
  streams.push(await follow('a'));
  await expect(follow('a')).rejects.toMatchObject(full);
  for (const stream of streams.slice(1)) expect(await readAll(stream)).toHaveLength(2);
  for (let i = 0; i < MOST_OF_ONE; i++) expect(await readAll(follow('a'))).toHaveLength(2);
});

test('one who has all events already holds none', async () => {
  const { app, ask, service } = await openDoors();
  onTestFinished(() => app.close());
  const server = await app.listen({ host: '127.0.0.1', port: 0 });
  const { body } = await ask('POST', '/api/execution?wait=true', { language: 'python', code: '{}' });
  const url = `${server}/api/execution/${body.executionId}/events`;
  const events = service.executions.events.bind(service.executions);
  const signals: AbortSignal[] = [];
  service.executions.events = (id, call, after) => {
    signals.push(call.signal);
    return events(id, call, after);
  };
  const { status } = await fetch(url, { headers: { 'last-event-id': '999' } });
  expect([status, signals.map(({ aborted }) => aborted)]).toEqual([204, [true]]);
});
