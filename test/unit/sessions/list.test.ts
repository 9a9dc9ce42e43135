import { describe, expect, it } from 'vitest';
import { settle, standStill } from '../support/clock.ts';
import { openService } from '../support/open-service.ts';

standStill();

/** So many sessions, and their list by page. */
async function withSessions(count: number, config: object = {}) {
  const all = openService();
  const ids: string[] = [];
  for (let i = 0; i < count; i++) ids.push((await all.session(config)).id);
  const page = async (options: { limit?: number; cursor?: string } = {}) => {
    const { sessions, ...rest } = await all.service.sessions.list(options, all.call());
    return { ids: sessions.map(({ sessionId }) => sessionId), ...rest };
  };
  return { ...all, ids, page };
}

describe('the list of sessions', () => {
  it('has all of them in the order in which they were made', async () => {
    const { ids, page } = await withSessions(3);
    expect(await page()).toEqual({ ids, count: 3, nextCursor: null });
  });

  it('goes on page by page until the last, and counts them all on each', async () => {
    const { ids, page } = await withSessions(5);
    const seen: string[] = [];
    let cursor: string | null = null;
    for (let pages = 1; ; pages++) {
      const { nextCursor, ...rest } = await page({ limit: 2, ...(cursor && { cursor }) });
      expect(rest.count).toBe(5);
      seen.push(...rest.ids);
      cursor = nextCursor;
      if (cursor === null) {
        expect(pages).toBe(3);
        break;
      }
    }
    expect(seen).toEqual(ids);
  });

  it('has no further page where the last one is full', async () => {
    const { page } = await withSessions(2);
    expect((await page({ limit: 2 })).nextCursor).toBeNull();
  });

  it('goes on behind a session that is closed meanwhile, and has those that came', async () => {
    const { ids, page, service, call, session } = await withSessions(3);
    const { nextCursor } = await page({ limit: 1 });
    await service.sessions.close(ids[0]!, call());
    await service.sessions.close(ids[1]!, call());
    const { id } = await session();
    expect((await page({ cursor: nextCursor! })).ids).toEqual([ids[2], id]);
  });

  it('ends a page early where configurations are large, but never before its first', async () => {
    const { page } = await withSessions(70, { metadata: { a: 'x'.repeat(65_000) } });
    const { ids, nextCursor } = await page();
    expect(ids.length).toBeGreaterThan(30);
    expect(ids.length).toBeLessThan(70);
    expect((await page({ cursor: nextCursor! })).ids).toHaveLength(70 - ids.length);
  });

  it('leaves environments out', async () => {
    const { service, call } = await withSessions(1, { environment: { A: 'secret' } });
    expect(JSON.stringify(await service.sessions.list({}, call()))).not.toContain('secret');
  });

  it('has one that was asked for first and made last in its place of being made', async () => {
    const { session, runtime, service, call } = openService();
    const made = Promise.withResolvers<void>();
    runtime.beforeCreate = () => made.promise;
    const slow = session();
    await settle();
    runtime.beforeCreate = async () => {};
    const quick = await session();
    const first = await service.sessions.list({ limit: 1 }, call());
    made.resolve();
    const { id } = await slow;
    const { sessions, nextCursor } = await service.sessions.list({ limit: 1 }, call());
    expect([first.sessions[0]?.sessionId, sessions[0]?.sessionId]).toEqual([quick.id, quick.id]);
    const rest = await service.sessions.list({ cursor: nextCursor! }, call());
    expect(rest.sessions.map(({ sessionId }) => sessionId)).toEqual([id]);
  });
});

describe('what configurations take together', () => {
  /** Some 0.8 MB: an owner has room for 80. */
  const environment = Object.fromEntries([...'ABCDEF'].map(name => [name, 'x'.repeat(131_000)]));
  const large = { environment };

  it('is bounded for an owner, and given back when a session ends', async () => {
    const { session } = openService();
    const mine = { owner: 'mine' };
    const opened = [await session(large, mine)];
    let refused: unknown;
    while (!refused) {
      await session(large, mine).then(
        each => opened.push(each),
        error => (refused = error),
      );
    }
    expect(refused).toMatchObject({ code: 'TOO_MANY_SESSIONS', field: 'environment' });
    await session(large, { owner: 'another' });
    await opened[0]!.close();
    await settle();
    await session(large, mine);
  });

  it('is not taken by sessions that could not be made', async () => {
    const { session, runtime } = openService();
    runtime.beforeCreate = async () => {
      throw new Error('no');
    };
    const mine = { owner: 'mine' };
    for (let i = 0; i < 100; i++) await session(large, mine).catch(() => {});
    runtime.beforeCreate = async () => {};
    await session(large, mine);
  });
});
