import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { http } from '../support/rest-client.ts';
import { RpcClient, RpcError } from '../support/rpc-client.ts';
import { type RunningServer, startServer } from '../support/start-server.ts';

/** What a client has stored, asked for all at once: an answer has its bound, and so has what may be stored. */
const MB = 1024 * 1024;
const KEYS = ['first-key-0123456789abcdef', 'second-key-0123456789abcdef'] as const;
let server: RunningServer;
let clients: RpcClient[];
beforeAll(async () => {
  server = await startServer({
    env: { CODEBEAKER_RUNTIMES: 'Python', CODEBEAKER_API_KEYS: KEYS.join(','), CODEBEAKER_POOL_SIZE: '1' },
  });
  clients = await Promise.all(
    KEYS.map(key => RpcClient.connect(server.wsUrl, { headers: { 'x-api-key': key } })),
  );
});
afterAll(async () => {
  for (const client of clients) await client.close();
  await server.stop();
});

/** Opens sessions until one is refused, at most so many. */
async function open(client: RpcClient, count: number, config: object) {
  const ids: string[] = [];
  for (let i = 0; i < count; i++) {
    const made = await client.call('session.create', { language: 'python', ...config }).catch(error => error);
    if (made instanceof RpcError) return { ids, refused: made };
    ids.push(made.sessionId);
  }
  return { ids, refused: undefined };
}

const close = (client: RpcClient, ids: string[]) =>
  Promise.all(ids.map(sessionId => client.call('session.close', { sessionId })));
const environment = Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`A${i}`, 'x'.repeat(130_000)]));

describe('a list of sessions', () => {
  test('comes in pages that a client can walk through, without variables', async () => {
    const client = clients[0]!;
    const { ids } = await open(client, 5, { environment, metadata: { a: 1 } });
    const all = await client.call('session.list');
    expect(all).toMatchObject({ count: 5, nextCursor: null });
    expect(all.sessions.map((session: { sessionId: string }) => session.sessionId)).toEqual(ids);
    expect(JSON.stringify(all).length).toBeLessThan(10_000);
    expect(all.sessions[0].config).toMatchObject({ language: 'python', metadata: { a: 1 } });
    expect(all.sessions[0].config).not.toHaveProperty('environment');
    const one = await client.call('session.get', { sessionId: ids[0] });
    expect(one.config.environment).toEqual(environment);

    const walked: string[] = [];
    let cursor: string | null | undefined;
    do {
      const query = `limit=2${cursor ? `&cursor=${cursor}` : ''}`;
      const { body } = await http(`${server.url}/api/session?${query}`, 'GET', undefined, {
        'x-api-key': KEYS[0],
      });
      expect(body.count).toBe(5);
      expect(body.sessions.length).toBeLessThanOrEqual(2);
      walked.push(...body.sessions.map((session: { sessionId: string }) => session.sessionId));
      cursor = body.nextCursor;
      // One that goes away in between moves nothing.
      if (walked.length === 2) await close(client, [ids[1]!]);
      if (walked.length === 2) expect((await client.call('session.list')).count).toBe(4);
      if (walked.length === 2) break;
    } while (cursor !== null);
    const rest = await client.call('session.list', { cursor });
    walked.push(...rest.sessions.map((session: { sessionId: string }) => session.sessionId));
    expect(walked).toEqual(ids);
    expect(await clients[1]!.call('session.list')).toEqual({ count: 0, sessions: [], nextCursor: null });
    await close(
      client,
      ids.filter(id => id !== ids[1]),
    );
  });

  test.for([
    ['limit', { limit: 0 }],
    ['limit', { limit: 1001 }],
    ['limit', { limit: 'x' }],
    ['cursor', { cursor: 'x' }],
    ['cursor', { cursor: '-1' }],
  ] as const)('refuses a bad %s by name: %j', async ([field, params]) => {
    expect((await clients[0]!.refused('session.list', params)).data).toMatchObject({ field });
    const query = new URLSearchParams(params as Record<string, string>);
    const { status, body } = await http(`${server.url}/api/session?${query}`, 'GET', undefined, {
      'x-api-key': KEYS[0],
    });
    expect([status, body.message]).toEqual([400, expect.stringContaining(field)]);
  });

  test('has its bound in bytes too, and then another page', { timeout: 240_000 }, async () => {
    const client = clients[0]!;
    const { ids } = await open(client, 80, { metadata: { a: 'x'.repeat(65_000) } });
    const sizes: number[] = [];
    const listed: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await client.call('session.list', { ...(cursor && { cursor }) });
      sizes.push(JSON.stringify(page).length);
      listed.push(...page.sessions.map((session: { sessionId: string }) => session.sessionId));
      cursor = page.nextCursor;
    } while (cursor);
    expect(listed).toEqual(ids);
    expect(sizes).toHaveLength(2);
    expect(Math.max(...sizes)).toBeLessThan(4.2 * MB);
    await close(client, ids);
  });
});

test('what a key’s sessions make the server keep has its bound, and another key has its own', {
  timeout: 240_000,
}, async () => {
  const [one, other] = clients as [RpcClient, RpcClient];
  const { ids, refused } = await open(one, 70, { environment });
  expect(refused?.data).toMatchObject({ code: 'TOO_MANY_SESSIONS', field: 'environment' });
  expect(refused?.data.retryAfter).toBeGreaterThan(0);
  expect(ids.length).toBeGreaterThan(55);
  // A session that keeps next to nothing has room.
  const small = await open(one, 1, {});
  const others = await open(other, 2, { environment });
  expect([small.refused, others.refused]).toEqual([undefined, undefined]);
  await close(one, [...ids.slice(1), ...small.ids]);
  const again = await open(one, 2, { environment });
  expect(again.refused).toBe(undefined);
  await close(one, [ids[0]!, ...again.ids]);
  await close(other, others.ids);
});
