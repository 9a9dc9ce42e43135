import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { byName, echo, runsOn } from '../support/scripts.ts';
import { framed, type Made, openE2b } from './open-e2b.ts';

/** Who means harm at E2B's door: with another key, with no token or a wrong one. */
const door = await openE2b({ script: byName({ kernel: echo, other: runsOn }) });
afterAll(() => door.app.close());

let own: Made;
let others: Made;
beforeAll(async () => {
  own = await door.create('alice', { metadata: { secret: 'of alice' } });
  others = await door.create('bob');
});

const sandboxRuns = async () =>
  (await door.ask(`/sandboxes/${own.id}`, { method: 'GET', key: 'alice' })).status === 200;

describe('another key’s sandbox', () => {
  it.each([
    ['GET', ''],
    ['DELETE', ''],
    ['POST', '/timeout', { timeout: 0 }],
    ['POST', '/refreshes', { duration: 0 }],
    ['POST', '/connect', { timeout: 1 }],
    ['POST', '/resume', { timeout: 1 }],
    ['PUT', '/network', {}],
    ['GET', '/metrics'],
    // Of one's own, what this server has not.
    ['POST', '/fork', { count: 1 }],
  ])('is not there: %s %s', async (method, path, body?: object) => {
    const answer = await door.ask(`/sandboxes/${own.id}${path}`, { method, key: 'bob', body });
    expect(answer).toMatchObject({ status: 404, body: { code: 404 } });
    expect(await sandboxRuns()).toBe(true);
  });

  it('has in common with one’s own what this server can’t do, which is said of that alone', async () => {
    for (const what of ['fork', 'pause', 'snapshots']) {
      const answer = await door.ask(`/sandboxes/${own.id}/${what}`, { key: 'alice', body: {} });
      expect(answer).toMatchObject({ status: 501, body: { code: 501 } });
    }
  });

  it('is in no list, whatever is asked for', async () => {
    for (const query of ['', '?metadata=secret%3Dof%2520alice', '?order=asc&limit=100', '?state=running'])
      expect((await door.ask(`/v2/sandboxes${query}`, { method: 'GET', key: 'bob' })).text).not.toContain(
        own.id,
      );
  });

  it('is nobody’s without a key', async () => {
    for (const path of [`/sandboxes/${own.id}`, '/v2/sandboxes'])
      expect((await door.ask(path, { method: 'GET' })).status).toBe(401);
    expect((await door.ask('/sandboxes', { body: { templateID: 'base' } })).status).toBe(401);
  });
});

const CALLS = [
  ['GET', '/health'],
  ['POST', '/process.Process/List'],
  ['POST', '/process.Process/Start'],
  ['POST', '/process.Process/Connect'],
  ['POST', '/process.Process/SendInput'],
  ['POST', '/filesystem.Filesystem/Stat'],
  ['POST', '/filesystem.Filesystem/Remove'],
  ['POST', '/filesystem.Filesystem/WatchDir'],
  ['GET', '/files?path=/etc/passwd'],
  ['POST', '/files?path=/tmp/x'],
  ['POST', '/execute'],
] as const;

describe('a call to a sandbox', () => {
  const call = (method: string, path: string, headers: Record<string, string>) =>
    door.ask(path, { method, headers, ...(method === 'POST' && { body: {} }) });

  it.each(CALLS)('needs its token, and no other and no key: %s %s', async (method, path) => {
    const id = { 'e2b-sandbox-id': own.id };
    for (const headers of [
      id,
      { ...id, 'x-access-token': '' },
      { ...id, 'x-access-token': others.token },
      { ...id, 'x-access-token': `${own.token}x` },
      { ...id, 'x-api-key': 'alice' },
      { ...id, 'e2b-traffic-access-token': own.traffic },
      { ...id, authorization: 'Bearer alice' },
    ])
      expect(await call(method, path, headers)).toMatchObject({ status: 401, body: { code: 401 } });
    expect((await call(method, path, {})).status).toBe(400);
    const root = { ...door.to(own), authorization: `Basic ${btoa('root:')}` };
    expect((await call(method, path, root)).body.message).toMatch(/no user "root"/);
    const nobody = { 'e2b-sandbox-id': 'nobody', 'x-access-token': own.token };
    expect(await call(method, path, nobody)).toMatchObject({ status: 502, body: { sandboxId: 'nobody' } });
  });

  it.each([
    ['GET', '/contexts'],
    ['POST', '/contexts'],
    ['DELETE', '/contexts/x'],
    ['POST', '/contexts/x/restart'],
  ])('about contexts needs its token or that of its traffic: %s %s', async (method, path) => {
    const ask = (headers: Record<string, string>, id = own.id) =>
      call(method, path, { 'e2b-sandbox-id': id, ...headers }).then(({ status }) => status);
    const traffic = (token: string) => ({ 'e2b-traffic-access-token': token });
    for (const headers of [
      {},
      traffic(''),
      traffic(others.traffic),
      traffic(own.token),
      { 'x-api-key': 'alice' },
    ])
      expect(await ask(headers)).toBe(401);
    expect([401, 502]).not.toContain(await ask(traffic(own.traffic)));
    expect([401, 502]).not.toContain(await ask({ 'x-access-token': own.token }));
    expect(await ask(traffic(own.traffic), 'nobody')).toBe(502);
  });

  it('has an id that nobody can guess', () => {
    expect(own.id).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
  });
});

describe('a signed URL', () => {
  const sign = (token: string, path: string, operation: string, expiration?: string) => {
    const end = expiration === undefined ? '' : `:${expiration}`;
    const digest = createHash('sha256').update(`${path}:${operation}::${token}${end}`).digest('base64');
    return `v1_${digest.replace(/=+$/, '')}`;
  };
  const later = String(Math.floor(Date.now() / 1000) + 60);
  const get = async (query: Record<string, string>) => {
    const answer = await fetch(`${door.url}/files?${new URLSearchParams(query)}`);
    return [answer.status, ((await answer.json()) as { message: string }).message];
  };

  it('is good for its file, its use and its time alone', async () => {
    const path = 'a.txt';
    const invalid = [401, 'invalid signature'];
    expect(await get({ path, signature: sign('guessed', path, 'read') })).toEqual(invalid);
    expect(await get({ path, signature: sign(own.token, path, 'write') })).toEqual(invalid);
    expect(await get({ path: 'b.txt', signature: sign(own.token, path, 'read') })).toEqual(invalid);
    const signature = sign(own.token, path, 'read', later);
    expect(await get({ path, signature })).toEqual(invalid);
    expect(await get({ path, signature, signature_expiration: '99999999999' })).toEqual(invalid);
    expect(
      await get({ path, signature: sign(own.token, path, 'read', '1'), signature_expiration: '1' }),
    ).toEqual([401, 'signature is already expired']);
    expect(await get({ path })).toEqual([401, 'the URL is not signed']);
    expect((await get({ path, signature, signature_expiration: later }))[0]).toBe(404);
  });
});

describe('what can’t be read', () => {
  const start = (body: string, type = 'application/connect+json') =>
    door.ask('/process.Process/Start', { body, headers: { ...door.to(own), 'content-type': type } });
  const whole = framed({ process: { cmd: 'x' } });

  it.each([
    ['nothing', '', /no message/],
    ['less than a beginning', '\0\0\0', /no message/],
    ['a message that is cut', whole.slice(0, -1), /bytes/],
    ['a message with more behind it', `${whole}${whole}`, /bytes/],
    ['a message that is announced as huge', `\0\x7f\x7f\x7f\x7f{}`, /bytes/],
    ['a compressed message', `\x01${whole.slice(1)}`, /must not be compressed/],
    ['an end', `\x02${whole.slice(1)}`, /flags/],
    ['no JSON', framed('x' as never).replace('"', "'"), /not JSON/],
    ['another message', framed({ process: { cmd: 7 } }), /cmd/],
  ])('is told in the stream’s end: %s', async (_, body, why) => {
    const { status, text } = await start(body);
    const end = JSON.parse(text.slice(5));
    expect([status, text.charCodeAt(0), end.error.code]).toEqual([
      200,
      2,
      expect.stringMatching(/argument|unimpl/),
    ]);
    expect(end.error.message).toMatch(why);
  });

  it('is a bad request and no failure of the service', async () => {
    expect(await start(`${'x'.repeat(8 * 1024 * 1024)}x`)).toMatchObject({
      status: 429,
      body: { code: 'resource_exhausted' },
    });
    expect(await start(whole, 'application/proto')).toMatchObject({
      status: 501,
      body: { code: 'unimplemented' },
    });
    const list = await door.ask('/process.Process/List', {
      body: `${'['.repeat(5000)}`,
      headers: door.to(own),
    });
    expect(list).toMatchObject({ status: 400, body: { code: 'invalid_argument' } });
    expect(door.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });
});

describe('a list of programs', () => {
  it('has a bound, whatever they were started with', async () => {
    const before = door.runtime.sandboxes.at(0)!.processes.length;
    const cut = new AbortController();
    const big = Object.fromEntries(Array.from({ length: 6 }, (_, i) => [`V${i}`, 'x'.repeat(100_000)]));
    for (let i = 0; i < 3; i++) {
      const body = framed({ process: { cmd: 'sleep', args: ['600'], envs: big } });
      const headers = { ...door.to(own), 'content-type': 'application/connect+json' };
      const answer = await door.send('/process.Process/Start', { body, headers, signal: cut.signal });
      await answer.body!.getReader().read();
    }
    expect(door.runtime.sandboxes.at(0)!.processes.length).toBe(before + 3);
    const { text, body } = await door.ask('/process.Process/List', { body: {}, headers: door.to(own) });
    const programs = body.processes as { config: { cmd: string; envs: object } }[];
    expect(programs.map(({ config }) => [config.cmd, Object.keys(config.envs).length])).toEqual([
      ['sleep', 6],
      ['sleep', 0],
      ['sleep', 0],
    ]);
    expect(text.length).toBeLessThan(1024 * 1024);
    cut.abort();
  });
});
