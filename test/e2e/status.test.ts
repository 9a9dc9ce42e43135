import { once } from 'node:events';
import { expect, inject, test } from 'vitest';
import { WebSocket } from 'ws';
import { TestSession } from '../support/session.ts';
import { EventReader } from '../support/sse.ts';

/** What happens, as a client is told of it over /ws/status and GET /api/events. */
const server = inject('server');

/** A client of /ws/status and all that it was told. */
class StatusClient implements AsyncDisposable {
  // biome-ignore lint/suspicious/noExplicitAny: tests look into what a service sent
  readonly messages: any[] = [];
  readonly socket = new WebSocket(server.wsUrl.replace('jsonrpc', 'status'), { perMessageDeflate: false });
  readonly closed: Promise<[number, Buffer]>;

  constructor() {
    this.socket.on('message', data => this.messages.push(JSON.parse(String(data))));
    this.closed = once(this.socket, 'close') as Promise<[number, Buffer]>;
  }

  static async open(first?: unknown): Promise<StatusClient> {
    const client = new StatusClient();
    await once(client.socket, 'open');
    if (first !== undefined) await client.says(first);
    return client;
  }

  /** Resolves once the server has read it. */
  async says(message: unknown): Promise<void> {
    this.socket.send(
      typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message),
    );
    this.socket.ping();
    await Promise.race([once(this.socket, 'pong'), this.closed]);
  }

  methods(): string[] {
    return this.messages.map(({ method }) => method);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.terminate();
  }
}

test('a socket tells what its first message asks for, and another message takes its place', async () => {
  await using session = await TestSession.open(server.wsUrl, { language: 'python' });
  await using status = await StatusClient.open({ subscribe: ['execution.*'], sessionId: session.id });
  await session.cell('1');
  await expect.poll(() => status.methods()).toEqual(['execution.started', 'execution.completed']);
  expect(status.messages[1]).toMatchObject({
    jsonrpc: '2.0',
    params: { sessionId: session.id, status: 'completed' },
  });
  await status.says({ subscribe: ['session.closed'], sessionId: session.id });
  await session.cell('2');
  await session.client.call('session.close', { sessionId: session.id });
  await expect
    .poll(() => status.messages.at(-1))
    .toMatchObject({ method: 'session.closed', params: { reason: 'client' } });
  expect(status.messages).toHaveLength(3);
});

test.each([
  ['no JSON', '{', 'not JSON'],
  ['no object', '[]', 'Expected object'],
  ['nothing that it wants', {}, 'subscribe: missing'],
  ['no event', { subscribe: ['sessions'] }, 'subscribe[0]: means no event'],
  ['an unknown session', { subscribe: ['*'], sessionId: 'nobody’s' }, 'Session not found'],
  ['what nobody knows', { subscribe: ['*'], since: 1 }, 'since: unknown field'],
  ['bytes', Buffer.from('{"subscribe":["*"]}'), 'comes as text'],
])('a first message that holds %s is answered, and closed with 1008', async (_, message, problem) => {
  await using status = await StatusClient.open(message);
  const [code] = await status.closed;
  expect(code).toBe(1008);
  expect(status.messages).toEqual([
    {
      error: expect.objectContaining({
        code: expect.any(String),
        message: expect.stringContaining(problem),
      }),
    },
  ]);
});

test('a message that has no end is cut off', async () => {
  await using status = await StatusClient.open();
  status.socket.on('error', () => {});
  status.socket.send('x'.repeat(1 << 20));
  const [code] = await status.closed;
  expect([1006, 1009]).toContain(code);
});

test('an event stream tells the same, and goes on where it broke off', async () => {
  await using session = await TestSession.open(server.wsUrl, { language: 'python' });
  const url = `${server.url}/api/events?subscribe=execution.completed,session.state&sessionId=${session.id}`;
  const first = await EventReader.open(url);
  await session.cell('1');
  const [completed, idle] = [await first.next(), await first.next()];
  expect(completed).toMatchObject({ event: 'execution.completed', data: { sessionId: session.id } });
  expect(idle).toMatchObject({ event: 'session.state', data: { state: 'Idle' } });
  first.leave();
  await session.cell('2');
  const second = await EventReader.open(url, completed.id);
  expect(await second.next()).toEqual(idle);
  expect(await second.next()).toMatchObject({ event: 'session.state', data: { state: 'Active' } });
  second.leave();
  const wrong = await fetch(`${server.url}/api/events?subscribe=nothing`);
  expect([wrong.status, await wrong.json()]).toMatchObject([400, { code: 'VALIDATION_ERROR' }]);
});
