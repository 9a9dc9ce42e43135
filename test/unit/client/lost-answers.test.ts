import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, expect, test, vi } from 'vitest';
import { CodeBeaker } from '../../../src/client/index.ts';

/** Our own client, and a server that is cut off at a certain point. */
type Answer = (response: ServerResponse, request: IncomingMessage) => void;
let answers: Answer[] = [];
const asked: string[] = [];
const server = createServer((request, response) => {
  asked.push(`${request.method} ${request.url}`);
  answers.shift()?.(response, request);
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const client = new CodeBeaker({ url });
afterAll(() => {
  server.close();
  server.closeAllConnections();
});
afterEach(() => {
  vi.useRealTimers();
  expect(answers).toEqual([]);
  asked.length = 0;
});

const cut: Answer = response => response.socket!.destroy();
const whole =
  (body: string): Answer =>
  response =>
    response.end(body);
/** Half of what was announced. */
const half: Answer = response => {
  response.setHeader('content-length', 20);
  response.write('{"executionId"', () => cut(response, response.req));
};

test('a program may be silent for longer than a lost connection is tried', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  const silent: Answer = response =>
    response.write(': connected\n\n', () => {
      vi.setSystemTime(Date.now() + 600_000);
      cut(response, response.req);
    });
  const completed = 'event: completed\ndata: {"executionId":"a","seq":1}\n\n';
  answers = [silent, cut, silent, cut, whole(completed)];
  const types = [];
  for await (const { type } of client.follow('a')) types.push(type);
  expect(types).toEqual(['completed']);
});

test('a run is read on behind the last event that came', async () => {
  const said = (seq: number) => `event: output\ndata: {"executionId":"a","seq":${seq}}\n\n`;
  const after: unknown[] = [];
  const begins: Answer = (response, { headers }) => {
    after.push(headers['last-event-id']);
    response.write(said(1) + said(2), () => cut(response, response.req));
  };
  const goesOn: Answer = (response, { headers }) => {
    after.push(headers['last-event-id']);
    response.end('event: completed\ndata: {"executionId":"a","seq":3}\n\n');
  };
  answers = [begins, goesOn];
  const seqs = [];
  for await (const event of client.follow('a')) if (event.type !== 'lost') seqs.push(event.seq);
  expect([seqs, after]).toEqual([
    [1, 2, 3],
    [undefined, '2'],
  ]);
});

test('how a run ended is asked again where the answer is lost', async () => {
  const completed = 'event: completed\ndata: {"executionId":"a","seq":1}\n\n';
  answers = [whole(completed), cut, half, whole('{"status":"completed"}')];
  expect(await client.follow('a').result()).toEqual({ status: 'completed' });
  expect(asked).toEqual(['GET /api/execution/a/events', ...Array(3).fill('GET /api/execution/a')]);
});

test.each([
  ['before', cut],
  ['in the middle of', half],
])(
  'cut off %s the answer, what may have been done is in doubt, and what is read is not',
  async (_, answer) => {
    answers = [answer, answer, answer];
    const doubt = { name: 'CodeBeakerError', code: 'CONNECTION_LOST' };
    const none = { name: 'CodeBeakerError', code: 'UNREACHABLE' };
    await expect(client.run({ language: 'python', code: '1' })).rejects.toMatchObject(doubt);
    await expect(client.languages()).rejects.toMatchObject(none);
    await expect(client.attach('a').read('b')).rejects.toMatchObject(none);
  },
);

test('what never came to a server was not done', async () => {
  const gone = createServer().listen(0, '127.0.0.1');
  await once(gone, 'listening');
  const { port } = gone.address() as AddressInfo;
  gone.close();
  await once(gone, 'close');
  const run = new CodeBeaker({ url: `http://127.0.0.1:${port}` }).run({ language: 'python', code: '1' });
  await expect(run).rejects.toMatchObject({ code: 'UNREACHABLE' });
});
