import { describe, expect, inject, test } from 'vitest';
import { http } from '../support/rest-client.ts';

/** Every HTTP error has the one body of the contract, and no stack. */
const server = inject('server');
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

describe('an HTTP error', () => {
  test.for([
    ['a path that is not there', 'GET', '/nowhere', undefined, 404, 'NOT_FOUND'],
    ['an execution that is not there', 'GET', '/api/execution/nobody', undefined, 404, 'NOT_FOUND'],
    [
      'an execution that is not there, cancelled',
      'DELETE',
      '/api/execution/nobody',
      undefined,
      404,
      'NOT_FOUND',
    ],
    ['a session that is not there', 'GET', '/api/session/nobody', undefined, 404, 'SESSION_NOT_FOUND'],
    ['a method that a path does not have', 'PUT', '/api/execution', '{}', 405, 'METHOD_NOT_ALLOWED'],
    ['a body that is no JSON', 'POST', '/api/execution', '{"code":', 400, 'VALIDATION_ERROR'],
    ['a body that is no object', 'POST', '/api/execution', '[]', 400, 'VALIDATION_ERROR'],
    ['a body that is null', 'POST', '/api/execution', 'null', 400, 'VALIDATION_ERROR'],
    ['no body', 'POST', '/api/execution', undefined, 400, 'VALIDATION_ERROR'],
    ['a prototype in the body', 'POST', '/api/execution', '{"__proto__": {"x": 1}}', 400, 'VALIDATION_ERROR'],
    ['a path with broken escapes', 'GET', '/api/execution/%E0%A4%A', undefined, 400, 'VALIDATION_ERROR'],
    ['an unknown query', 'GET', '/api/session?colour=red', undefined, 400, 'VALIDATION_ERROR'],
  ] as [string, string, string, string | undefined, number, string][])(
    'for %s has the contract’s body',
    async ([, method, path, body, status, code]) => {
      const answer = await http(`${server.url}${path}`, method, body);
      expect(answer).toMatchObject({ status, body: { code } });
      expect(answer.body.timestamp).toMatch(ISO);
      expect(answer.body.message.length).toBeGreaterThan(0);
      const allowed = ['code', 'details', 'message', 'timestamp'];
      expect(allowed).toEqual(expect.arrayContaining(Object.keys(answer.body)));
      expect(JSON.stringify(answer.body)).not.toMatch(/node_modules|\.ts\b|at .*:\d+/);
    },
  );

  test('names the content types it takes', async () => {
    const headers = { 'content-type': 'text/csv' };
    const answer = await http(`${server.url}/api/execution`, 'POST', 'a,b', headers);
    expect(answer).toMatchObject({ status: 415, body: { code: 'UNSUPPORTED_MEDIA_TYPE' } });
  });

  test('tells a body that is too large', async () => {
    const body = `{"language":"python","code":"1","stdin":"${'x'.repeat(40 << 20)}"}`;
    const answer = await http(`${server.url}/api/execution`, 'POST', body).catch(error => error);
    // A server may close the connection before so large a body is sent; the client then sees no answer.
    if (!(answer instanceof Error))
      expect(answer).toMatchObject({ status: 413, body: { code: 'PAYLOAD_TOO_LARGE' } });
    expect((await http(`${server.url}/health/live`)).status).toBe(200);
  });
});
