import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { lentSession } from '../support/lent-session.ts';
import { type Cell, compiled, startedSandboxes } from '../support/matrix.ts';
import { UNCAUGHT } from '../support/programs.ts';
import { executionUntil, http } from '../support/rest-client.ts';
import { TestSession } from '../support/session.ts';
import { eventsUntil, type SentEvent } from '../support/sse.ts';

/** What a session offers over WebSocket, over HTTP alone: commands are followed, waited for and cancelled. */
const { url, wsUrl } = inject('server');
/** A cell waits for what it awaits, and for no timers. */
const WAITS = {
  python: 'import time; time.sleep(60)',
  javascript: 'await new Promise(done => setTimeout(done, 60_000))',
};
const isEndOf = (commandId: string) => (event: SentEvent) =>
  event.event === 'completed' && event.data.commandId === commandId;

describe.each(await startedSandboxes())('over REST, $name', ({ language, runtimeType, dialect }: Cell) => {
  let session: string;
  const execute = (command: object, headers: Record<string, string> = {}) =>
    http(`${url}${session}/execute`, 'POST', { command: { type: 'execute_code', ...command } }, headers);

  beforeAll(async () => {
    const { body } = await http(`${url}/api/session`, 'POST', { language, runtimeType });
    session = `/api/session/${body.sessionId}`;
  });
  afterAll(() => http(`${url}${session}`, 'DELETE'));

  test('a cell is followed live, and again after any event', async () => {
    const following = eventsUntil(`${url}${session}/events`, isEndOf('followed'));
    const answer = await execute({ id: 'followed', code: UNCAUGHT[dialect] });
    expect(answer.body).toMatchObject({ id: 'followed', success: false });
    const events = await following;
    expect(events.map(({ id }) => id)).toEqual(events.map((_, i) => i + 1));
    expect(events.map(({ event }) => event).filter(event => event !== 'output')).toEqual([
      'started',
      'completed',
    ]);
    expect(events.some(({ data }) => data.text?.startsWith('before'))).toBe(true);
    const { result, error } = answer.body;
    expect(events.at(-1)?.data).toMatchObject({
      error: result.error,
      message: error,
      outcome: 'nonzero_exit',
    });
    const again = await eventsUntil(`${url}${session}/events`, isEndOf('followed'), 1);
    expect(again).toEqual(events.slice(1));
  });

  test('a cell whose wait runs out is asked about and cancelled by its id', async () => {
    const pending = await execute({ id: 'långsam/1', code: WAITS[dialect] }, { prefer: 'wait=0' });
    expect(pending.status).toBe(202);
    expect(pending.headers.get('preference-applied')).toBe('wait=0');
    expect(pending.headers.get('location')).toBe(`/api/execution/${pending.body.executionId}`);
    expect(pending.body).toMatchObject({
      commandId: 'långsam/1',
      status: expect.stringMatching(/^(pending|running)$/),
      sessionId: session.split('/').at(-1),
    });
    const { executionId } = pending.body;
    await executionUntil(url, executionId, ({ status }) => status === 'running');
    const command = `${url}${session}/commands/${encodeURIComponent('långsam/1')}`;
    const cancelled = await http(command, 'DELETE');
    expect(cancelled).toMatchObject({ status: 200, body: { executionId, status: 'cancelled' } });
    expect(cancelled.body.message).toMatch(/^Cancelled/);
    expect((await http(command, 'DELETE')).body).toEqual(cancelled.body);
    expect((await http(`${url}/api/execution/${executionId}`)).body).toEqual(cancelled.body);
    const after = await execute({ code: '1 + 1' }, { prefer: 'wait=60' });
    expect(after.body).toMatchObject({ success: true, result: { results: [{ 'text/plain': '2' }] } });
  });

  test('a cell in the background answers at once and tells its value at its end', async () => {
    const answer = await execute({ id: 'behind', code: '6 * 7', background: true });
    expect(answer.body).toMatchObject({ success: true, result: { commandId: 'behind' } });
    const { executionId } = answer.body.result;
    const events = await eventsUntil(`${url}${session}/events`, isEndOf('behind'));
    expect(events.at(-1)?.data).toMatchObject({
      executionId,
      status: 'completed',
      results: [{ 'text/plain': '42' }],
    });
    const { body } = await http(`${url}/api/execution/${executionId}`);
    expect(body).toMatchObject({ status: 'completed', results: [{ 'text/plain': '42' }], error: null });
  });
});

test('a cell in the background keeps the state and its turn, over WebSocket', async () => {
  await using session = await TestSession.open(wsUrl, { language: 'python', runtimeType: 'Python' });
  const { client } = session;
  const { executionId } = await session.done('execute_code', {
    id: 'a',
    code: 'import time\ntime.sleep(0.3)\nx = 5',
    background: true,
  });
  expect(await session.prints('print(x)')).toBe('5\n');
  const { params } = await client.notified(n => n.method === 'execution.completed');
  expect(params).toMatchObject({
    executionId,
    commandId: 'a',
    status: 'completed',
    results: [],
    error: null,
  });
});

test.each(await compiled())('a $name cell runs in the background', async ({ language, runtimeType }) => {
  await using session = await lentSession(wsUrl, { language, runtimeType });
  const { executionId } = await session.done('execute_code', { code: 'no such thing', background: true });
  const { params } = await session.client.notified(n => n.method === 'execution.completed');
  expect(params).toMatchObject({ executionId, status: 'failed', error: { name: 'CompileError' } });
});

describe('a cell in the background', () => {
  test.each([
    ['timeout', { timeout: 1e6 }, 'command.timeout'],
    ['memory', { memoryLimit: 1_000_000 }, 'command.memoryLimit'],
  ])('whose %s is over what there is is refused at once', async (_, fields, field) => {
    await using session = await TestSession.open(wsUrl, { language: 'python', runtimeType: 'Python' });
    const { client, id: sessionId } = session;
    const command = { type: 'execute_code', code: '1', background: true, ...fields };
    expect((await client.refused('session.execute', { sessionId, command })).data).toMatchObject({ field });
  });

  test('is ended by its time limit, which is that of any cell', async () => {
    await using session = await TestSession.open(wsUrl, { language: 'python', runtimeType: 'Python' });
    const command = { code: 'while True: pass', background: true, timeout: 0.5 };
    await session.done('execute_code', command);
    const { params } = await session.client.notified(n => n.method === 'execution.completed');
    expect(params).toMatchObject({
      status: 'timeout',
      outcome: expect.stringMatching(/^(cpu|wall)_timeout$/),
    });
    expect(params.message).toMatch(/ime limit exceeded/);
  });
});

describe('what is not there', () => {
  test('is not found', async () => {
    const { body } = await http(`${url}/api/session`, 'POST', { language: 'python', runtimeType: 'Python' });
    const session = `${url}/api/session/${body.sessionId}`;
    expect(await http(`${session}/commands/nobody`, 'DELETE')).toMatchObject({
      status: 404,
      body: { code: 'NOT_FOUND' },
    });
    await http(session, 'DELETE');
    for (const [path, method] of [
      ['/events', 'GET'],
      ['/commands/nobody', 'DELETE'],
    ] as const)
      expect(await http(session + path, method)).toMatchObject({
        status: 404,
        body: { code: 'SESSION_NOT_FOUND', reason: 'client' },
      });
  });

  test('is told of a bad Last-Event-ID', async () => {
    const { body } = await http(`${url}/api/session`, 'POST', { language: 'python', runtimeType: 'Python' });
    const session = `${url}/api/session/${body.sessionId}`;
    const answer = await http(`${session}/events`, 'GET', undefined, { 'last-event-id': 'x' });
    expect(answer).toMatchObject({ status: 400, body: { code: 'VALIDATION_ERROR' } });
    await http(session, 'DELETE');
  });
});

test('events end with the session', async () => {
  const { body } = await http(`${url}/api/session`, 'POST', { language: 'python', runtimeType: 'Python' });
  const session = `${url}/api/session/${body.sessionId}`;
  const following = eventsUntil(`${session}/events`, () => false);
  following.catch(() => {});
  await http(`${session}/execute`, 'POST', { command: { type: 'execute_code', code: '1' } });
  await http(session, 'DELETE');
  await expect(following).rejects.toThrow(/^the events ended after 3/);
});
