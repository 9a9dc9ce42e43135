import type { AddressInfo } from 'node:net';
import { afterAll, describe, expect, test } from 'vitest';
import { openDoors } from './rest-door.ts';

const { app, service, ask } = await openDoors();
await app.listen({ host: '127.0.0.1', port: 0 });
const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
afterAll(() => app.close());

const program = (doing: object) => ({ language: 'python', code: JSON.stringify(doing) });
const ISO = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

describe('POST /api/execution', () => {
  test('answers at once', async () => {
    const { status, body } = await ask('POST', '/api/execution', program({ waitFor: 'never' }));
    expect(status).toBe(200);
    expect(body).toEqual({ executionId: expect.any(String), status: 'pending', createdAt: ISO });
  });

  test.each([
    ['?wait=true', {}],
    ['', { prefer: 'wait=5' }],
    ['', { prefer: 'respond-async, wait="5"' }],
  ])('with %s %j answers when it has ended', async (query, headers) => {
    const {
      status,
      body,
      headers: answered,
    } = await ask('POST', `/api/execution${query}`, program({ print: ['hi'] }), headers);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      status: 'completed',
      exitCode: 0,
      stdout: 'hi',
      errorType: null,
      usage: null,
    });
    expect(Object.keys(body)).toHaveLength(22);
    expect(answered['preference-applied']).toBe('prefer' in headers ? 'wait=5' : undefined);
  });

  test('answers how far it is when the wait runs out', async () => {
    const { status, body } = await ask('POST', '/api/execution', program({ waitFor: 'never' }), {
      prefer: 'wait=0',
    });
    expect(status).toBe(202);
    expect(body).toEqual({ executionId: expect.any(String), status: 'running', createdAt: ISO });
  });

  test.each([
    ['wait=0', 'wait=0'],
    ['respond-async', 'respond-async'],
    ['wait=00; foo="a, b", respond-async', 'respond-async, wait=0'],
    ['foo="wait=5, respond-async", WAIT = "0"', 'wait=0'],
  ])('with Prefer: %s says that it goes on, where, and what was preferred', async (prefer, applied) => {
    const answer = await ask('POST', '/api/execution', program({ waitFor: 'never' }), { prefer });
    expect(answer).toMatchObject({
      status: 202,
      headers: { location: `/api/execution/${answer.body.executionId}`, 'preference-applied': applied },
    });
    expect((await ask('GET', String(answer.headers.location))).body.status).toBe('running');
  });

  test('with Prefer: wait and no number waits for the end', async () => {
    const { status, body, headers } = await ask('POST', '/api/execution', program({ print: ['hi'] }), {
      prefer: 'return=minimal, wait',
    });
    expect({ status, body }).toMatchObject({ status: 200, body: { status: 'completed' } });
    expect(headers).toMatchObject({ 'preference-applied': 'wait' });
  });

  test.each(['wait=soon', 'wait=-1', 'wait=1.5', 'waiting=5', 'respond-async=no', 'wait=x, wait=5', ',=,;'])(
    'with Prefer: %s, which says nothing, answers as without',
    async prefer => {
      const { status, headers } = await ask('POST', '/api/execution', program({ waitFor: 'never' }), {
        prefer,
      });
      expect(status).toBe(200);
      expect(headers).not.toHaveProperty('preference-applied');
    },
  );

  test('of a client that goes away is not cancelled', async () => {
    const gone = new AbortController();
    const waiting = fetch(`${url}/api/execution?wait=true`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(program({ waitFor: 'later' })),
      signal: gone.signal,
    }).catch((error: Error) => error.name);
    setTimeout(() => gone.abort(), 50);
    expect(await waiting).toBe('AbortError');
    service.open('later');
  });

  test.each([
    [{ code: '1' }, /^language: missing/],
    [{ ...program({}), config: { timeout: '5' } }, /^config\.timeout: Expected number/],
    [{ ...program({}), colour: 1 }, /^colour: unknown field/],
    [[], /^body: Expected object/],
    ['{"code":', /^The body is not JSON/],
    ['['.repeat(100_000), /^The body is not JSON/],
    [undefined, /^body: Expected object/],
  ])('refuses %j', async (body, message) => {
    const answer = await ask('POST', '/api/execution', body);
    expect(answer).toMatchObject({ status: 400, body: { code: 'VALIDATION_ERROR', timestamp: ISO } });
    expect(answer.body.message).toMatch(message);
  });

  test('takes older spellings', async () => {
    const body = { ...program({}), output_files: [], config: { memory_limit: 64 } };
    expect(await ask('POST', '/api/execution', body)).toMatchObject({ status: 200 });
  });

  test('answers with the status of the service’s refusal', async () => {
    expect(await ask('POST', '/api/execution', { code: '1', language: 'none' })).toMatchObject({
      status: 422,
      body: { code: 'UNSUPPORTED_LANGUAGE', message: 'Unsupported language: none' },
    });
  });
});

describe('an execution', () => {
  test('is shown and cancelled by its id', async () => {
    const { body } = await ask('POST', '/api/execution', program({ waitFor: 'never' }));
    const path = `/api/execution/${body.executionId}`;
    expect(await ask('GET', path)).toMatchObject({ status: 200, body: { status: 'running' } });
    expect(await ask('DELETE', path)).toMatchObject({ status: 200, body: { status: 'cancelled' } });
    expect(await ask('DELETE', path, undefined, { 'content-type': 'application/json' })).toMatchObject({
      status: 200,
      body: { status: 'cancelled' },
    });
    expect(await ask('HEAD', path)).toMatchObject({ status: 200, body: '' });
  });

  test.each(['GET', 'DELETE'] as const)('that is not there: %s is 404', async method => {
    expect(await ask(method, '/api/execution/none')).toMatchObject({
      status: 404,
      body: { code: 'NOT_FOUND' },
    });
    expect(await ask('GET', '/api/execution/none/events')).toMatchObject({ status: 404 });
  });
});

describe('the events of an execution', () => {
  const finished = async (doing: object) => {
    const { body } = await ask('POST', '/api/execution?wait=true', program(doing));
    return `/api/execution/${body.executionId}/events`;
  };

  test('come as an event stream', async () => {
    const { status, headers, body } = await ask('GET', await finished({ print: ['a\nb'] }));
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('text/event-stream');
    const [comment, ...events] = body.trimEnd().split('\n\n');
    expect(comment).toBe(': connected');
    expect(events.map((event: string) => event.split('\n').slice(0, 2))).toEqual([
      ['id: 1', 'event: started'],
      ['id: 2', 'event: output'],
      ['id: 3', 'event: completed'],
    ]);
    const data = JSON.parse(events[1].split('\n')[2].slice('data: '.length));
    expect(data).toMatchObject({ seq: 2, stream: 'stdout', text: 'a\nb' });
  });

  test('go on after Last-Event-ID, and are 204 after the last', async () => {
    const path = await finished({ print: ['a'] });
    const { body } = await ask('GET', path, undefined, { 'last-event-id': '2' });
    expect(body.match(/^id: .*/gm)).toEqual(['id: 3']);
    expect(await ask('GET', path, undefined, { 'last-event-id': '3' })).toMatchObject({
      status: 204,
      body: '',
    });
    expect(await ask('GET', path, undefined, { 'last-event-id': 'x' })).toMatchObject({
      status: 400,
      body: { message: expect.stringContaining('last-event-id') },
    });
  });

  test('come live, and a client that leaves lets the program go on', async () => {
    const { body } = await ask('POST', '/api/execution', program({ waitFor: 'read', flood: 300 }));
    const gone = new AbortController();
    const answer = await fetch(`${url}/api/execution/${body.executionId}/events`, { signal: gone.signal });
    const reader = answer.body!.getReader();
    expect(Buffer.from((await reader.read()).value!).toString()).toContain(': connected');
    service.open('read');
    // Eighteen megabytes are more than sockets and windows hold, so that it can't have ended unread.
    await new Promise(resolve => setTimeout(resolve, 200));
    const path = `/api/execution/${body.executionId}`;
    expect(await ask('GET', path)).toMatchObject({ body: { status: 'running' } });
    gone.abort();
    await expect.poll(async () => (await ask('GET', path)).body.status).toBe('completed');
  });
});
