import { expect, it } from 'vitest';
import { settle, standStill } from '../support/clock.ts';
import { openDoor } from '../support/open-door.ts';
import { openService } from '../support/open-service.ts';
import { byName, ends, runsOn } from '../support/scripts.ts';

standStill();

const script = byName({ true: ends(), sleep: runsOn });
const ANN = { owner: 'ann' };

/** A session of Ann's with a command that has ended and one that runs. */
async function opened() {
  const all = openService({ script });
  const session = await all.session({}, ANN);
  const ids: string[] = [];
  const onTaken = ({ executionId }: { executionId: string }) => void ids.push(executionId);
  await session.execute({ type: 'execute_shell', commandName: 'true' }, {}, { onTaken });
  session.execute({ type: 'execute_shell', commandName: 'sleep' }, {}, { onTaken }).catch(() => {});
  await settle();
  expect(ids).toHaveLength(2);
  return { ...all, session, ids };
}

it('commands of a session that has ended are told from those that never were, to their owner alone', async () => {
  const { service, session, ids, call } = await opened();
  await session.close();
  for (const id of ids) {
    const refusal = {
      code: 'NOT_FOUND',
      message: `Execution not found: ${id}`,
      reason: 'client',
      details: expect.stringMatching(
        new RegExp(`^It was a command of session ${session.id}, which ended at .*Z: `),
      ),
    };
    const { executions, processes } = service;
    await expect(executions.status(id, call(ANN))).rejects.toMatchObject(refusal);
    await expect(executions.cancel(id, call(ANN))).rejects.toMatchObject(refusal);
    await expect(executions.events(id, call(ANN), 0)).rejects.toMatchObject(refusal);
    await expect(processes.signal({ executionId: id }, 'SIGINT', call(ANN))).rejects.toMatchObject(refusal);
    const unknown = { code: 'NOT_FOUND', details: undefined, reason: undefined };
    await expect(executions.status(id, call({ owner: 'bob' }))).rejects.toMatchObject(unknown);
    await expect(executions.status('never', call(ANN))).rejects.toMatchObject(unknown);
  }
});

it('events of a command are found with those of its session, and the refusal says so', async () => {
  const { service, session, ids, call } = await opened();
  await expect(service.executions.events(ids[0]!, call(ANN), 0)).rejects.toMatchObject({
    code: 'NOT_FOUND',
    details: expect.stringContaining(`GET /api/session/${session.id}/events`),
  });
  await session.close();
});

it('a client of JSON-RPC is told so in data', async () => {
  const { ask } = openDoor({ script });
  const { sessionId } = (await ask('session.create', { language: 'python' })).result;
  const command = { type: 'execute_shell', commandName: 'sleep', background: true };
  const { executionId } = (await ask('session.execute', { sessionId, command })).result.result;
  await ask('session.close', { sessionId });
  expect((await ask('execution.status', { executionId })).error.data).toEqual({
    code: 'NOT_FOUND',
    reason: 'client',
    details: expect.stringContaining(sessionId),
  });
});
