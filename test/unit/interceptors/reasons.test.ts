import { expect, test } from 'vitest';
import { ServiceError } from '../../../src/errors.ts';
import { logCalls } from '../../../src/service/interceptors/log.ts';
import { CollectedLog } from '../support/collected-log.ts';

/** What a refusal's log line says of its message, parts of which clients write. */
async function reasonOf(message: string): Promise<unknown> {
  const log = new CollectedLog();
  const refused = async () => {
    throw new ServiceError('SESSION_NOT_FOUND', message);
  };
  await logCalls({ name: 'sessions.get', call: { log } as never }, refused).catch(() => {});
  return log.lines[0]?.reason;
}

test.each([
  ['a "text" and "another \\" one"', 'a "…" and "…"'],
  ['one that "has no end', 'one that "…"'],
  ['one that "ends in \\', 'one that "…"'],
  [`one that "${'x'.repeat(5000)}" is long`, 'one that "…"'],
])('%s is told without what it quotes', async (message, reason) => {
  expect(await reasonOf(message)).toBe(reason);
});

test('of a message of megabytes the beginning is looked at', async () => {
  const reason = await reasonOf(`Session not found: ${'"\\'.repeat(3_000_000)}`);
  expect(reason).toBe('Session not found: "…"');
  expect(String(await reasonOf('x'.repeat(3_000_000)))).toHaveLength(300);
});
