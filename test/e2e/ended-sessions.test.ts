import { expect, inject, test, vi } from 'vitest';
import { http } from '../support/rest-client.ts';
import { TestSession } from '../support/session.ts';

const { url, wsUrl } = inject('server');
const BRIEF = 0.01;

test.concurrent.each([
  ['idle', { idleTimeoutMinutes: BRIEF }],
  ['lifetime', { maxLifetimeMinutes: BRIEF }],
  ['client', {}],
])('a session that ended by %s is told from one that never was', async (reason, config) => {
  const { id, client } = await TestSession.open(wsUrl, { language: 'python', ...config });
  if (reason === 'client') await client.call('session.close', { sessionId: id });
  const isListed = async () =>
    (await client.call('session.list')).sessions.some((each: { sessionId: string }) => each.sessionId === id);
  await vi.waitFor(async () => expect(await isListed()).toBe(false), { timeout: 60_000, interval: 100 });
  const details = expect.stringMatching(/^It ended at \d{4}-.*Z: /);
  const refusal = { code: 'SESSION_NOT_FOUND', reason, details };
  expect((await client.refused('session.get', { sessionId: id })).data).toEqual(refusal);
  const answer = await http(`${url}/api/session/${id}`);
  expect(answer).toMatchObject({ status: 404, body: refusal });
  await client.close();
});
