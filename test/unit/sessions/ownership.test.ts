import { describe, expect, it } from 'vitest';
import { settle, standStill } from '../support/clock.ts';
import { openService } from '../support/open-service.ts';
import { runsOn } from '../support/scripts.ts';

standStill();

const mine = { owner: 'mine' };

/** A session of one owner's that runs something, and a one-shot of theirs that runs and one that is over. */
async function withBelongings() {
  const all = openService({
    script: (spec, program) => (spec.argv.includes('end') ? {} : runsOn(spec, program)),
  });
  const session = await all.session({}, mine);
  void session.shell('sleep');
  await settle();
  const commandExecution = all.log.named('taken')[0]?.executionId as string;
  const runs = await all.start({}, mine);
  const { executionId: over } = await all.run({ args: ['end'] }, mine);
  await settle();
  return { ...all, session, ids: { session: session.id, command: commandExecution, runs, over } };
}

type Belongings = Awaited<ReturnType<typeof withBelongings>>;
type Ask = (all: Belongings, call: ReturnType<Belongings['call']>) => Promise<unknown>;

const asks: [string, string, Ask][] = [
  ['sessions.get', 'SESSION_NOT_FOUND', ({ service, ids }, call) => service.sessions.get(ids.session, call)],
  [
    'sessions.keepAlive',
    'SESSION_NOT_FOUND',
    ({ service, ids }, call) => service.sessions.keepAlive(ids.session, call),
  ],
  [
    'sessions.events',
    'SESSION_NOT_FOUND',
    ({ service, ids }, call) => service.sessions.events(ids.session, call, 0),
  ],
  [
    'sessions.execute',
    'SESSION_NOT_FOUND',
    ({ service, ids }, call) =>
      service.sessions.execute(
        ids.session,
        { type: 'list_directory', id: undefined, params: {}, at: '' },
        call,
      ),
  ],
  [
    'processes.signal in a session',
    'SESSION_NOT_FOUND',
    ({ service, ids }, call) => service.processes.signal({ sessionId: ids.session }, 'SIGWINCH', call),
  ],
  [
    'processes.signal of an execution',
    'NOT_FOUND',
    ({ service, ids }, call) => service.processes.signal({ executionId: ids.runs }, 'SIGWINCH', call),
  ],
  [
    'processes.signal of a command',
    'NOT_FOUND',
    ({ service, ids }, call) => service.processes.signal({ executionId: ids.command }, 'SIGWINCH', call),
  ],
  [
    'executions.status of one that runs',
    'NOT_FOUND',
    ({ service, ids }, call) => service.executions.status(ids.runs, call),
  ],
  [
    'executions.status of one that is over',
    'NOT_FOUND',
    ({ service, ids }, call) => service.executions.status(ids.over, call),
  ],
  [
    'executions.status of a command',
    'NOT_FOUND',
    ({ service, ids }, call) => service.executions.status(ids.command, call),
  ],
  [
    'executions.events of one that runs',
    'NOT_FOUND',
    ({ service, ids }, call) => service.executions.events(ids.runs, call, 0),
  ],
  [
    'executions.events of one that is over',
    'NOT_FOUND',
    ({ service, ids }, call) => service.executions.events(ids.over, call, 0),
  ],
  ['executions.wait', 'NOT_FOUND', ({ service, ids }, call) => service.executions.wait(ids.over, call)],
  [
    'executions.cancel of one that runs',
    'NOT_FOUND',
    ({ service, ids }, call) => service.executions.cancel(ids.runs, call),
  ],
  [
    'executions.cancel of a command',
    'NOT_FOUND',
    ({ service, ids }, call) => service.executions.cancel(ids.command, call),
  ],
  [
    'sessions.close',
    'SESSION_NOT_FOUND',
    ({ service, ids }, call) => service.sessions.close(ids.session, call),
  ],
];

describe('what belongs to one owner', () => {
  it.each(asks)('is not there for another: %s', async (_what, code, ask) => {
    const all = await withBelongings();
    for (const owner of ['another', null])
      await expect(ask(all, all.call({ owner }))).rejects.toMatchObject({ code });
    expect((await all.service.sessions.get(all.ids.session, all.call(mine))).state).toBe('Active');
    expect((await all.service.executions.status(all.ids.runs, all.call(mine))).status).toBe('running');
  });

  it.each(asks)('is there for them: %s', async (_what, _code, ask) => {
    const all = await withBelongings();
    await ask(all, all.call(mine));
  });

  it('is listed for them alone', async () => {
    const { service, call, ids } = await withBelongings();
    expect(await service.sessions.list({}, call({ owner: 'another' }))).toEqual({
      count: 0,
      sessions: [],
      nextCursor: null,
    });
    expect(await service.sessions.list({}, call(mine))).toMatchObject({
      count: 1,
      sessions: [{ sessionId: ids.session }],
    });
  });

  it('is told of as one that nobody has', async () => {
    const { service, call, ids } = await withBelongings();
    const told = (id: string) =>
      service.sessions
        .get(id, call({ owner: 'another' }))
        .catch((error: Error) => error.message.replace(id, ''));
    expect(await told(ids.session)).toBe(await told('nobody'));
  });
});
