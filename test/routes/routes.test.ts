import { afterAll, describe, expect, test } from 'vitest';
import { scripted } from '../rpc/service-double.ts';
import { openDoors } from './rest-door.ts';

const { app, service, ask } = await openDoors();
afterAll(() => app.close());

describe('languages', () => {
  test('are listed, and found by an alias', async () => {
    expect(await ask('GET', '/api/language')).toMatchObject({ status: 200, body: [{ name: 'python' }] });
    expect(await ask('GET', '/api/language/py')).toMatchObject({
      status: 200,
      body: { name: 'python', version: '3.11.2' },
    });
    expect(await ask('GET', '/api/language/cobol')).toMatchObject({
      status: 404,
      body: { code: 'NOT_FOUND' },
    });
  });
});

describe('sessions', () => {
  test('live over REST', async () => {
    const metadata = { course: { week: 3 } };
    const created = await ask('POST', '/api/session', { language: 'python', metadata });
    expect(created).toMatchObject({ status: 201, body: { state: 'Active', config: { metadata } } });
    const path = `/api/session/${created.body.sessionId}`;
    expect(await ask('GET', path)).toMatchObject({
      status: 200,
      body: { sessionId: created.body.sessionId },
    });
    expect((await ask('GET', '/api/session')).body.count).toBe(1);
    const doing = { print: ['x'] };
    const command = scripted({ id: 'c', ...doing });
    expect(await ask('POST', `${path}/execute`, { command })).toMatchObject({
      status: 200,
      body: { id: 'c', success: true, result: doing, error: null },
    });
    expect(await ask('POST', `${path}/execute`, { command, stream: true })).toMatchObject({
      status: 422,
      body: { code: 'NOT_SUPPORTED', message: 'stream: needs a WebSocket' },
    });
    expect(await ask('DELETE', path)).toMatchObject({ status: 200, body: { closed: true } });
    expect(await ask('DELETE', path)).toMatchObject({ status: 404, body: { code: 'SESSION_NOT_FOUND' } });
  });
});

describe('POST /api/jsonrpc', () => {
  const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };

  test('answers a request, a batch, and nothing with 204', async () => {
    expect(await ask('POST', '/api/jsonrpc', ping)).toMatchObject({
      status: 200,
      body: { id: 1, result: {} },
    });
    expect((await ask('POST', '/api/jsonrpc', [ping, ping])).body).toHaveLength(2);
    expect(await ask('POST', '/api/jsonrpc', { jsonrpc: '2.0', method: 'ping' })).toMatchObject({
      status: 204,
      body: '',
    });
  });

  test.each(['{"', '', '{}\n{}'])('answers %j in the protocol’s own words', async text => {
    expect(await ask('POST', '/api/jsonrpc', text)).toMatchObject({
      status: 200,
      body: { id: null, error: { code: -32700 } },
    });
  });

  test('takes JSON only', async () => {
    const answer = await ask('POST', '/api/jsonrpc', 'x', { 'content-type': 'text/plain' });
    expect(answer).toMatchObject({ status: 415, body: { code: 'UNSUPPORTED_MEDIA_TYPE' } });
    expect(answer.body.message).toBe('content-type: must be application/json');
  });
});

describe('health', () => {
  test('names each runtime, and why one is missing', async () => {
    const { status, body } = await ask('GET', '/health');
    expect(status).toBe(200);
    expect(body.runtimes).toEqual({
      Python: { available: true, version: '3.11.2', startupMs: 20, memoryMB: 4 },
      Bun: {
        available: false,
        reason: 'bubblewrap is not installed',
        cure: 'apt-get install bubblewrap',
        version: null,
      },
    });
  });

  test('is ready when code can be run', async () => {
    expect(await ask('GET', '/health/ready')).toMatchObject({ status: 200 });
    service.state = 'unhealthy';
    expect(await ask('GET', '/health/ready')).toMatchObject({ status: 503 });
    expect(await ask('GET', '/health/live')).toMatchObject({ status: 200 });
    expect(await ask('GET', '/health')).toMatchObject({ status: 200, body: { status: 'unhealthy' } });
    service.state = 'healthy';
  });
});

describe('errors', () => {
  test.each([
    ['GET', '/nowhere', 404, 'NOT_FOUND'],
    ['PUT', '/api/execution', 405, 'METHOD_NOT_ALLOWED'],
    ['POST', '/health', 405, 'METHOD_NOT_ALLOWED'],
    ['GET', '/api/execution/%E0%A4%A', 400, 'VALIDATION_ERROR'],
    ['GET', '/api/session?colour=red', 400, 'VALIDATION_ERROR'],
    ['GET', '/ws/jsonrpc', 426, 'VALIDATION_ERROR'],
    ['GET', '/ws/nothing', 404, 'NOT_FOUND'],
  ] as const)('%s %s is %i', async (method, path, status, code) => {
    const answer = await ask(method, path);
    expect(answer).toMatchObject({
      status,
      body: { code, message: expect.any(String), timestamp: expect.any(String) },
    });
    expect(answer.headers['content-type']).toContain('application/json');
  });

  test('of a method list those that are there', async () => {
    expect((await ask('PUT', '/api/session/x')).headers.allow).toBe('GET, HEAD, DELETE, OPTIONS');
    expect(await ask('OPTIONS', '/api/session/x')).toMatchObject({
      status: 204,
      headers: { allow: 'GET, HEAD, DELETE, OPTIONS' },
    });
    expect(await ask('OPTIONS', '/nowhere')).toMatchObject({ status: 404 });
  });

  test('that are not ours tell nothing', async () => {
    const answer = await ask('POST', '/api/session', { language: 'broken' });
    expect(answer).toMatchObject({
      status: 500,
      body: { code: 'INTERNAL_ERROR', message: 'Internal error' },
    });
    expect(JSON.stringify(answer.body)).not.toContain('secret');
  });
});

describe('/metrics', () => {
  test('counts requests of both doors', async () => {
    await ask('POST', '/api/jsonrpc', { jsonrpc: '2.0', id: 1, method: 'no.such' });
    const { headers, body } = await ask('GET', '/metrics');
    expect(headers['content-type']).toContain('text/plain');
    expect(body).toMatch(/^codebeaker_sessions 0$/m);
    expect(body).toMatch(/^codebeaker_runtime_available\{runtime="Bun"\} 0$/m);
    expect(body).toMatch(/^codebeaker_rpc_answers_total\{method="unknown",code="-32601"\} 1$/m);
    expect(body).toMatch(
      /codebeaker_http_request_seconds_count\{route="\/api\/language\/:name",method="GET",status="404"\} 1/,
    );
  });
});

describe('/docs', () => {
  test('shows Swagger UI and the document', async () => {
    const page = await ask('GET', '/docs');
    expect(page).toMatchObject({ status: 200, body: expect.stringContaining('swagger-ui') });
    expect(page.headers['content-security-policy']).toContain("default-src 'self'");
    expect(page.headers['content-security-policy']).not.toContain('upgrade-insecure-requests');
    expect((await ask('GET', '/docs/json')).body.openapi).toBe('3.1.0');
    expect((await ask('GET', '/docs/yaml')).body).toContain('openapi: 3.1.0');
    expect((await ask('GET', '/openrpc.json')).body.openrpc).toBe('1.3.2');
  });
});
