import { describe, expect, it } from 'vitest';
import { DefaultSessions } from '../../../routes/mcp/default-sessions.ts';
import { openService } from '../support/open-service.ts';

const ANN = { owner: 'ann', client: 'ann' };
const BOB = { owner: 'bob', client: 'bob' };

function open(settings = {}) {
  const { service, call, runtime } = openService({ settings });
  const own = new DefaultSessions(service.sessions);
  const find = (connection: string | null, who: object, language = 'python', alone = false) =>
    own.find(connection, language, alone, call(who));
  return { service, call, runtime, own, find };
}

describe('the session of calls that name none', () => {
  it('is one for all calls of a connection, also for those that come at once', async () => {
    const { find, runtime } = open();
    const [first, second] = await Promise.all([find('one', ANN), find('one', ANN)]);
    expect(second.sessionId).toBe(first.sessionId);
    expect([first.began, second.began]).toEqual([true, false]);
    expect(await find('one', ANN)).toMatchObject({ sessionId: first.sessionId, began: false });
    expect(runtime.open).toHaveLength(1);
  });

  it('is another for another connection, key, address, and for a language that cannot share', async () => {
    const { find } = open();
    const found = [
      await find('one', ANN),
      await find('two', ANN),
      await find('one', BOB),
      await find(null, ANN),
      await find(null, BOB),
      await find(null, { owner: null, client: '10.0.0.1' }),
      await find(null, { owner: null, client: '10.0.0.2' }),
      await find('one', ANN, 'python', true),
    ];
    expect(new Set(found.map(({ sessionId }) => sessionId)).size).toBe(found.length);
  });

  it('outlives the call that began it', async () => {
    const { own, call } = open();
    const gone = new AbortController();
    const begun = own.find('one', 'python', false, call({ ...ANN, signal: gone.signal }));
    gone.abort();
    const { sessionId } = await begun;
    expect(await own.find('one', 'python', false, call(ANN))).toMatchObject({ sessionId, began: false });
  });

  it('is begun anew where it was forgotten, or could not begin', async () => {
    const { find, service, call } = open({ maxSessions: 1 });
    await expect(find('one', ANN, 'cobol')).rejects.toMatchObject({ code: 'UNSUPPORTED_LANGUAGE' });
    const first = await find('one', ANN);
    await expect(find('two', ANN)).rejects.toMatchObject({ code: 'TOO_MANY_SESSIONS' });
    await service.sessions.close(first.sessionId, call(ANN));
    first.forget();
    const second = await find('one', ANN);
    expect(second).toMatchObject({ began: true });
    // Of the first there is nothing left to forget.
    first.forget();
    expect(await find('one', ANN)).toMatchObject({ sessionId: second.sessionId, began: false });
  });

  it('ends with its connection, and with no other', async () => {
    const { find, own, call, service } = open();
    const [first, beside] = [await find('one', ANN), await find('one', ANN, 'python', true)];
    await find('two', ANN);
    expect(await own.leave('one', call(BOB))).toEqual([]);
    expect((await own.leave('one', call(ANN))).sort()).toEqual([first.sessionId, beside.sessionId].sort());
    expect(await own.leave('one', call(ANN))).toEqual([]);
    expect(await service.sessions.list({}, call(ANN))).toMatchObject({ count: 1 });
  });

  it('is no error to leave when it has ended by itself', async () => {
    const { find, own, call, service } = open();
    const { sessionId } = await find(null, ANN);
    await service.sessions.close(sessionId, call(ANN));
    expect(await own.leave(null, call(ANN))).toEqual([]);
  });
});
