import { once } from 'node:events';
import { afterAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { openHttp } from '../support/open-http.ts';
import { ends } from '../support/scripts.ts';

/** What a client of Piston could ask that takes the service's time or memory. */
const http = await openHttp({}, { script: ends() });
afterAll(() => http.app.close());

const python = { language: 'python', version: '*', files: [{ content: 'print(1)' }] };

async function execute(body: object) {
  const answer = await fetch(`${http.url}/api/v2/execute`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: answer.status, ...((await answer.json()) as { message?: string; run?: object }) };
}

test.each<[string, object, string]>([
  ['a range of thousands of versions', { version: Array(5000).fill('<1').join('||') }, 'version is over 256'],
  ['a language of thousands of letters', { language: 'p'.repeat(5000) }, 'language is over 256'],
  ['more code than there may be', { files: [{ content: '#'.repeat(100_001) }] }, 'files[0].content: '],
  ['more files than there may be', { files: Array(1002).fill({ content: '1' }) }, 'files: '],
  ['more arguments than there may be', { args: Array(4097).fill('1') }, 'args: '],
  ['an argument with a NUL', { args: ['a', 'b\0c'] }, 'args[1]: '],
])('%s is refused in words', async (_, more, words) => {
  const { status, message } = await execute({ ...python, ...more });
  expect([status, message]).toEqual([400, expect.stringContaining(words)]);
  expect(await execute(python)).toMatchObject({ status: 200, run: { code: 0 } });
});

test('a message of a job that is many times as large in memory as it came is refused', async () => {
  const socket = new WebSocket(`${http.url.replace('http', 'ws')}/api/v2/connect`);
  await once(socket, 'open');
  const closed = once(socket, 'close');
  socket.send(`[${Array(200_001).fill('{}').join(',')}]`);
  const [said] = await once(socket, 'message');
  expect(JSON.parse(String(said))).toEqual({ type: 'error', message: 'A message is a JSON object' });
  expect((await closed)[0]).toBe(4002);
});
