import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { prints } from '../support/scripts.ts';
import { openJudge0, python } from './client.ts';

/** What arrived where results are sent. */
const arrived: { method: string | undefined; url: string | undefined; body: unknown }[] = [];
let receiver: Server;
let origin: string;
let judge0: Awaited<ReturnType<typeof openJudge0>>;

beforeAll(async () => {
  receiver = createServer(async (request, response) => {
    arrived.push({ method: request.method, url: request.url, body: JSON.parse(await textOf(request)) });
    // One that leads elsewhere is not followed.
    if (request.url === '/dropped') return request.socket.destroy();
    if (request.url === '/moved') response.writeHead(307, { location: `${origin}/elsewhere` });
    return response.end('x');
  });
  receiver.listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  origin = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
  judge0 = await openJudge0(prints('1\n'), { CODEBEAKER_CALLBACK_ORIGINS: origin });
});
afterAll(async () => {
  await judge0.app.close();
  receiver.close();
});

test('a result is sent where the operator allows it, in base64', async () => {
  const { body } = await judge0.ask('/submissions', 'POST', {
    ...python,
    callback_url: `${origin}/done?a=1`,
  });
  await expect
    .poll(() => arrived.find(({ url }) => url === '/done?a=1'))
    .toEqual({
      method: 'PUT',
      url: '/done?a=1',
      body: expect.objectContaining({
        token: body.token,
        stdout: 'MQo=\n',
        status: expect.objectContaining({ id: 3 }),
      }),
    });
  expect((await judge0.ask('/config_info')).body.enable_callbacks).toBe(true);
});

test('a redirection is not followed', async () => {
  await judge0.ask('/submissions?wait=true', 'POST', { ...python, callback_url: `${origin}/moved` });
  await judge0.ask('/submissions?wait=true', 'POST', { ...python, callback_url: `${origin}/after` });
  await expect.poll(() => arrived.map(({ url }) => url)).toContain('/after');
  await expect.poll(() => arrived.map(({ url }) => url)).toContain('/moved');
  expect(arrived.map(({ url }) => url)).not.toContain('/elsewhere');
});

test('a receiver that drops what comes is tried as often as /config_info says, and no more', async () => {
  const most = (await judge0.ask('/config_info')).body.callbacks_max_tries;
  await judge0.ask('/submissions?wait=true', 'POST', { ...python, callback_url: `${origin}/dropped` });
  const tries = () => arrived.filter(({ url }) => url === '/dropped').length;
  await expect.poll(tries).toBe(most);
  await judge0.ask('/submissions?wait=true', 'POST', { ...python, callback_url: `${origin}/next` });
  await expect.poll(() => arrived.some(({ url }) => url === '/next')).toBe(true);
  expect(tries()).toBe(most);
});

test.each([
  ['another port', (at: URL) => `http://127.0.0.1:${Number(at.port) ^ 1}/`],
  ['another name of the same address', (at: URL) => `http://localhost:${at.port}/`],
  ['another scheme', (at: URL) => `https://${at.host}/`],
  ['one with a password', (at: URL) => `http://a:b@${at.host}/`],
  ['one that begins like it', (at: URL) => `http://${at.host}@example.com/`],
  ['a file', () => 'file:///etc/passwd'],
  ['no URL', () => 'nothing'],
  ['a very long one', (at: URL) => `http://${at.host}/${'a'.repeat(2048)}`],
])('%s is refused', async (_, make) => {
  const answer = await judge0.ask('/submissions', 'POST', { ...python, callback_url: make(new URL(origin)) });
  expect([answer.status, Object.keys(answer.body)]).toEqual([422, ['callback_url']]);
});

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const piece of request) text += piece;
  return text;
}
