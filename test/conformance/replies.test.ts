import { describe, expect, inject, test } from 'vitest';
import { EXAMPLES, exampleReply } from '../../src/commands/examples.ts';
import { commands } from '../../src/commands/index.ts';
import { checkShape } from '../support/contract.ts';
import { lentSession } from '../support/lent-session.ts';
import { compiled, startedSandboxes } from '../support/matrix.ts';
import { SLEEP, UNCAUGHT } from '../support/programs.ts';
import { http, runOnce } from '../support/rest-client.ts';
import { TestSession } from '../support/session.ts';

/** What every runtime answers is what the contracts say: TestSession checks each answer and each notification. */
const { url, wsUrl } = inject('server');
const VARIES = new Set(['id', 'durationMs', 'usage', 'modifiedAt', 'code', 'layer', 'cached']);

/** A value without what is another each time. */
const steady = (value: unknown) =>
  JSON.parse(JSON.stringify(value, (name, inner) => (VARIES.has(name) ? undefined : inner)));

test('the examples of the contracts are what is answered', async () => {
  await using session = await TestSession.open(wsUrl, { language: 'python', runtimeType: 'Python' });
  for (const type of Object.keys(EXAMPLES) as (keyof typeof EXAMPLES)[]) {
    const answer = await session.command(type, EXAMPLES[type].fields as Record<string, unknown>);
    expect(steady(answer), type).toEqual(steady(exampleReply(type)));
  }
  expect(Object.keys(EXAMPLES).sort()).toEqual(commands.map(({ type }) => type).sort());
});

describe.each(await startedSandboxes())(
  '$name answers by the contract',
  ({ language, runtimeType, dialect }) => {
    test('to commands that succeed and that fail', async () => {
      await using session = await lentSession(wsUrl, { language, runtimeType });
      const more = { stream: true };
      const value = await session.command('execute_code', { code: '6 * 7' }, more);
      expect(value).toMatchObject({ type: 'execute_code', result: { results: [{ 'text/plain': '42' }] } });
      const failed = await session.command('execute', { code: UNCAUGHT[dialect] }, more);
      expect(failed).toMatchObject({ type: 'execute_code', success: false, result: { error: {} } });
      await session.command('execute_code', { code: SLEEP[dialect], timeout: 0.2 }, more);
      await session.command('execute_code', { code: '1', background: true });
      await session.command('execute_shell', { commandName: 'false' }, more);
      await session.command('execute_shell', { commandName: 'no-such-program' }, more);
      await session.command('execute_shell', { commandName: 'true', background: true });
      expect(await session.command('read_file', { path: 'gone' }, more)).toMatchObject({
        type: 'read_file',
        result: null,
      });
      await session.command('list_files', {});
      const sessionId = session.id;
      await session.client.call('session.get', { sessionId });
      await session.client.call('session.list');
    });

    test('to one-shots', async () => {
      const end = await runOnce(url, {
        language,
        runtimeType,
        code: UNCAUGHT[dialect],
        outputFiles: ['gone'],
      });
      checkShape('StatusResponse', end);
      checkShape('StatusResponse', (await http(`${url}/api/execution/${end.executionId}`)).body);
    });
  },
);

test.each(await compiled())('$name answers by the contract', async ({ language, runtimeType }) => {
  await using session = await lentSession(wsUrl, { language, runtimeType });
  const answer = await session.command('execute_code', { code: 'no such thing' }, { stream: true });
  expect(answer.result.error.name).toBe('CompileError');
  checkShape('StatusResponse', await runOnce(url, { language, runtimeType, code: 'no such thing' }));
});
