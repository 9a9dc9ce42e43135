import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { http } from '../support/rest-client.ts';
import { RpcClient } from '../support/rpc-client.ts';
import { type RunningServer, startServer } from '../support/start-server.ts';

/** A web page elsewhere may not reach a service on localhost, and keys keep their holders apart. */
const shared = inject('server');

/** Status of a GET with headers that `fetch` would not send. */
function statusWith(url: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { headers }, answer => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    });
    sent.on('error', reject);
    sent.end();
  });
}

function connects(url: string, headers: Record<string, string>): Promise<boolean> {
  return RpcClient.connect(url, { headers }).then(
    async client => {
      await client.close();
      return true;
    },
    () => false,
  );
}

describe('on loopback without keys', () => {
  const port = new URL(shared.url).port;
  const BAD: Record<string, string>[] = [
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { origin: 'http://127.0.0.1.evil.example' },
    { origin: 'http://localhost.evil.example:5039' },
    { host: 'evil.example' },
    { host: `evil.example:${port}` },
    { host: `127.0.0.1.evil.example:${port}` },
  ];
  const GOOD: Record<string, string>[] = [
    {},
    { origin: 'http://localhost:3000' },
    { origin: `http://127.0.0.1:${port}` },
    { origin: 'http://[::1]:3000' },
    { host: `localhost:${port}` },
    { host: '[::1]:5039' },
  ];

  test.for(BAD)('%j is refused on both doors', async headers => {
    expect(await statusWith(`${shared.url}/api/language`, headers)).toBe(403);
    expect(await connects(shared.wsUrl, headers)).toBe(false);
  });

  test.for(GOOD)('%j passes both doors', async headers => {
    expect(await statusWith(`${shared.url}/api/language`, headers)).toBe(200);
    expect(await connects(shared.wsUrl, headers)).toBe(true);
  });

  test('a foreign origin’s preflight gets no permission', async () => {
    const headers = { origin: 'https://evil.example', 'access-control-request-method': 'POST' };
    const answer = await http(`${shared.url}/api/execution`, 'OPTIONS', undefined, headers);
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('with keys', () => {
  let server: RunningServer;
  beforeAll(async () => {
    const env = { CODEBEAKER_RUNTIMES: 'Python', CODEBEAKER_API_KEYS: 'key-of-ann-0001,key-of-bob-0002' };
    server = await startServer({ env: { ...env, CODEBEAKER_ALLOWED_ORIGINS: 'https://app.example' } });
  });
  afterAll(() => server.stop());
  const ann = { authorization: 'Bearer key-of-ann-0001' };
  const bob = { 'x-api-key': 'key-of-bob-0002' };

  test('every call needs one, but health', async () => {
    for (const path of ['/api/language', '/api/session']) {
      const answer = await http(`${server.url}${path}`);
      expect(answer).toMatchObject({ status: 401, body: { code: 'UNAUTHORIZED' } });
      expect((await http(`${server.url}${path}`, 'GET', undefined, ann)).status).toBe(200);
      expect((await http(`${server.url}${path}`, 'GET', undefined, bob)).status).toBe(200);
      for (const wrong of ['Bearer nobody', 'Bearer ', 'Basic key-of-ann-0001', 'Bearer key-of-ann-0001x']) {
        expect((await http(`${server.url}${path}`, 'GET', undefined, { authorization: wrong })).status).toBe(
          401,
        );
      }
    }
    expect((await http(`${server.url}/health/live`)).status).toBe(200);
    expect(await connects(server.wsUrl, {})).toBe(false);
    expect(await connects(server.wsUrl, ann)).toBe(true);
  });

  test('a session and an execution belong to their key; others see nothing there', async () => {
    const session = (await http(`${server.url}/api/session`, 'POST', { language: 'python' }, ann)).body;
    const run = { language: 'python', code: 'print(1)' };
    const execution = (await http(`${server.url}/api/execution?wait=true`, 'POST', run, ann)).body;
    expect(execution.stdout).toBe('1\n');
    const at = {
      session: `/api/session/${session.sessionId}`,
      run: `/api/execution/${execution.executionId}`,
    };
    for (const path of [at.session, at.run, `${at.run}/events`]) {
      expect((await http(`${server.url}${path}`, 'GET', undefined, bob)).status).toBe(404);
      expect((await http(`${server.url}${path}`, 'GET', undefined, ann)).status).toBe(200);
    }
    for (const path of [at.session, at.run]) {
      expect((await http(`${server.url}${path}`, 'DELETE', undefined, bob)).status).toBe(404);
    }
    expect((await http(`${server.url}/api/session`, 'GET', undefined, bob)).body.count).toBe(0);
    const client = await RpcClient.connect(server.wsUrl, { headers: bob });
    const sessionId = session.sessionId;
    for (const method of ['session.get', 'session.close', 'session.attach', 'session.keepAlive']) {
      expect(await client.refused(method, { sessionId })).toMatchObject({ code: -31014 });
    }
    const command = { type: 'list_directory' };
    expect(await client.refused('session.execute', { sessionId, command })).toMatchObject({ code: -31014 });
    await client.close();
    expect((await http(`${server.url}${at.session}`, 'DELETE', undefined, ann)).status).toBe(200);
  });

  test('no key shows in what the server prints', () => {
    expect(server.log()).not.toContain('key-of-ann');
  });

  test('an allowed origin passes', async () => {
    const headers = { ...ann, origin: 'https://app.example' };
    expect(await statusWith(`${server.url}/api/language`, headers)).toBe(200);
    expect(await statusWith(`${server.url}/api/language`, { ...ann, origin: 'https://other.example' })).toBe(
      403,
    );
  });
});
