import { afterAll, describe, expect, test } from 'vitest';
import { openDoors } from '../routes/rest-door.ts';

describe('on loopback', async () => {
  const { app, ask } = await openDoors({ CODEBEAKER_ALLOWED_ORIGINS: 'https://app.example' });
  afterAll(() => app.close());
  const status = async (headers: Record<string, string>) =>
    (await ask('GET', '/api/language', undefined, headers)).status;

  test.each([
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { origin: '' },
    { origin: 'file://' },
    { origin: 'http://127.0.0.1.evil.example' },
    { origin: 'http://localhost@evil.example' },
    { origin: 'https://app.example.evil.example' },
    { origin: 'https://app.example:8443' },
    { origin: 'http://app.example' },
    { host: 'evil.example' },
    { host: 'evil.example:5039' },
    { host: 'localhost.evil.example' },
    { host: 'evil.example', origin: 'http://evil.example' },
  ])('%j is refused', async headers => {
    expect(await status(headers)).toBe(403);
  });

  test.each([
    {},
    { origin: 'http://localhost:3000' },
    { origin: 'http://[::1]:3000' },
    { origin: 'https://app.example' },
    { host: '127.0.0.1:5039' },
    { host: '[::1]:5039' },
    { host: 'LOCALHOST' },
    { host: 'app.example', origin: 'https://app.example' },
  ])('%j passes', async headers => {
    expect(await status(headers)).toBe(200);
  });

  test('an allowed page may read the answers, a program needs no permission', async () => {
    const origin = 'https://app.example';
    const answer = await ask('GET', '/api/language', undefined, { origin });
    expect(answer.headers['access-control-allow-origin']).toBe(origin);
    const preflight = await ask('OPTIONS', '/api/execution', undefined, {
      origin,
      'access-control-request-method': 'POST',
    });
    expect(preflight).toMatchObject({ status: 204, headers: { 'access-control-allow-origin': origin } });
    expect((await ask('GET', '/api/language')).headers).not.toHaveProperty('access-control-allow-origin');
  });

  test('a foreign page’s preflight is refused', async () => {
    const headers = { origin: 'https://evil.example', 'access-control-request-method': 'POST' };
    const answer = await ask('OPTIONS', '/api/execution', undefined, headers);
    expect(answer.status).toBe(403);
    expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
  });
});

describe('with keys', async () => {
  const { app, ask, logged } = await openDoors({ HOST: '0.0.0.0', CODEBEAKER_API_KEYS: 'ann-key,bob-key' });
  afterAll(() => app.close());
  const ann = { authorization: 'Bearer ann-key' };

  test.each([
    {},
    { authorization: 'Bearer wrong' },
    { authorization: 'Bearer ' },
    { authorization: 'Basic ann-key' },
    { authorization: 'Bearer ann-key bob-key' },
    { authorization: 'Bearer ann-key,bob-key' },
    { 'x-api-key': '' },
    { 'x-api-key': 'ann-key2' },
  ])('%j is refused', async headers => {
    for (const path of ['/api/language', '/metrics', '/nowhere', '/ws/jsonrpc']) {
      const answer = await ask('GET', path, undefined, headers as Record<string, string>);
      expect(answer).toMatchObject({ status: 401, body: { code: 'UNAUTHORIZED' } });
      expect(answer.headers['www-authenticate']).toBe('Bearer');
    }
  });

  test('one of them opens, and health needs none', async () => {
    expect(await ask('GET', '/api/language', undefined, ann)).toMatchObject({ status: 200 });
    expect(await ask('GET', '/api/language', undefined, { 'x-api-key': 'bob-key' })).toMatchObject({
      status: 200,
    });
    for (const path of ['/health', '/health/live', '/health/ready', '/health/startup']) {
      expect(await ask('GET', path)).toMatchObject({ status: 200 });
    }
  });

  test('what was made belongs to its key', async () => {
    const { body } = await ask('POST', '/api/session', { language: 'python' }, ann);
    const path = `/api/session/${body.sessionId}`;
    expect(await ask('GET', path, undefined, ann)).toMatchObject({ status: 200 });
    expect(await ask('GET', path, undefined, { 'x-api-key': 'bob-key' })).toMatchObject({ status: 404 });
  });

  test('a page of the service itself passes, and a preflight needs no key', async () => {
    const headers = { ...ann, host: 'beaker.example', origin: 'http://beaker.example' };
    expect(await ask('GET', '/api/language', undefined, headers)).toMatchObject({ status: 200 });
    const preflight = { origin: 'http://localhost:3000', 'access-control-request-method': 'POST' };
    expect(await ask('OPTIONS', '/api/execution', undefined, preflight)).toMatchObject({ status: 204 });
  });

  test('no key is logged', async () => {
    await ask('POST', '/api/session', { language: 'broken' }, ann);
    expect(logged.join('')).toContain('a request failed');
    expect(logged.join('')).not.toContain('ann-key');
  });
});

describe('a rate limit', async () => {
  const { app, ask } = await openDoors({ CODEBEAKER_RATE_LIMIT: '3' });
  afterAll(() => app.close());

  test('answers 429 with Retry-After, counts requests of a batch one by one, and spares health', async () => {
    const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };
    const { body } = await ask('POST', '/api/jsonrpc', [ping, ping, ping, ping, ping]);
    const codes = body.map((answer: { error?: { data: { code: string } } }) => answer.error?.data.code);
    expect(codes.filter((code: unknown) => code === 'RATE_LIMITED')).toHaveLength(2);
    const unknown = await ask('POST', '/api/jsonrpc', { ...ping, method: 'nobody.knows' });
    expect(unknown.body.error).toMatchObject({ code: -31029, message: 'More than 3 requests a second' });
    const limited = await ask('GET', '/api/language');
    expect(limited).toMatchObject({ status: 429, body: { code: 'RATE_LIMITED' } });
    expect(Number(limited.headers['retry-after'])).toBe(1);
    expect(await ask('GET', '/health')).toMatchObject({ status: 200 });
  });
});
