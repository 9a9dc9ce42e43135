import { describe, expect, inject, test } from 'vitest';
import { lentSession } from '../support/lent-session.ts';
import { compiled, interpreters } from '../support/matrix.ts';
import { UNCAUGHT } from '../support/programs.ts';
import { http } from '../support/rest-client.ts';
import { RpcClient } from '../support/rpc-client.ts';
import { TestSession } from '../support/session.ts';

const { url, wsUrl } = inject('server');

/** What a cell's answer has that its status has too. */
const answered = (result: Record<string, unknown>) => {
  const { results, error, executionCount, outcome, exitCode, stdout, stderr } = result;
  return { results, error, executionCount, outcome, exitCode, stdout, stderr };
};

for (const { language, runtimeType, dialect, name } of await interpreters()) {
  test(`what a cell came to outlives its answer, for ${name}`, async () => {
    await using session = await TestSession.open(wsUrl, { language, runtimeType });
    const { client, id: sessionId } = session;
    for (const code of ['6 * 7', UNCAUGHT[dialect]]) {
      client.notifications.length = 0;
      const answer = await session.command('execute_code', { code }, { stream: true });
      const { params } = await client.notified(n => n.method === 'execution.completed');
      const { executionId } = params;
      const known = answered(answer.result);
      expect(params).toMatchObject({
        results: known.results,
        error: known.error,
        executionCount: known.executionCount,
        outcome: known.outcome,
      });
      const status = await client.call('execution.status', { executionId });
      expect(status).toMatchObject(known);
      expect(status.message ?? null).toBe(answer.error);
      expect((await http(`${url}/api/execution/${executionId}`)).body).toEqual(status);
    }
    expect((await client.call('session.get', { sessionId })).executionCount).toBe(2);
  });
}

for (const { language, runtimeType, name } of await compiled()) {
  test(`the compiler's words of a cell outlive its answer, for ${name}`, async () => {
    await using session = await lentSession(wsUrl, { language, runtimeType });
    const answer = await session.command('execute_code', { code: 'no such thing' }, { stream: true });
    const { params } = await session.client.notified(n => n.method === 'execution.completed');
    expect(params.error).toMatchObject({ name: 'CompileError' });
    const status = await session.client.call('execution.status', { executionId: params.executionId });
    expect(status).toMatchObject({ error: answer.result.error, message: answer.error });
  });
}

describe('a client whose socket drops', () => {
  test('finds why its cell failed, by attaching and by asking', async () => {
    await using session = await TestSession.open(wsUrl, { language: 'python', runtimeType: 'Python' });
    const first = await RpcClient.connect(wsUrl);
    const code = 'import time\ntime.sleep(0.5)\n"a value"\nmissing';
    const command = { type: 'execute_code', id: 'lost', code };
    first.request('session.execute', { sessionId: session.id, command, stream: true });
    await first.notified(n => n.method === 'execution.started');
    await first.close();
    await session.client.call('session.attach', { sessionId: session.id });
    const { params } = await session.client.notified(n => n.method === 'execution.completed');
    const error = { name: 'NameError', message: "name 'missing' is not defined" };
    expect(params).toMatchObject({ commandId: 'lost', status: 'failed', error, results: [] });
    expect(params.message).toBe("NameError: name 'missing' is not defined");
    const status = await session.client.call('execution.status', { executionId: params.executionId });
    expect(status.error.traceback).toContain('missing');
  });

  test('finds why a command that is no cell failed', async () => {
    await using session = await TestSession.open(wsUrl, { language: 'python', runtimeType: 'Python' });
    const { client, id: sessionId } = session;
    const answer = await session.command('read_file', { path: 'gone' }, { stream: true });
    const { params } = await client.notified(n => n.method === 'execution.completed');
    expect(params).toMatchObject({ sessionId, status: 'failed', message: answer.error });
    const status = await client.call('execution.status', { executionId: params.executionId });
    expect(status.message).toBe(answer.error);
  });
});

test('what a program makes of the names of texts is text', async () => {
  await using session = await TestSession.open(wsUrl, { language: 'python', runtimeType: 'Python' });
  const code = `
class Odd:
    def _repr_mimebundle_(self, **_): return {'text/plain': 5, 'image/png': ['a'], 'application/json': [1]}
Odd()`;
  const { results } = await session.done('execute_code', { code });
  expect(results).toEqual([{ 'text/plain': '5', 'image/png': '["a"]', 'application/json': [1] }]);
});
