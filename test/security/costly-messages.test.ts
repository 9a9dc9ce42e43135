import { once } from 'node:events';
import { describe, expect, inject, test } from 'vitest';
import { RpcClient } from '../support/rpc-client.ts';

/** One message that is small to send and a lot to work through: others go on being served meanwhile. */
const server = inject('server');
const request = (id: number, method: string, params = {}) => ({ jsonrpc: '2.0', id, method, params });
const many = <T>(length: number, make: (i: number) => T) => Array.from({ length }, (_, i) => make(i));
const creating = (more: string) =>
  `{"jsonrpc":"2.0","id":1,"method":"session.create","params":{"language":"python",${more}}}`;

const REFUSED = {
  'lines of batches': many(9000, () => JSON.stringify(many(60, i => request(i, 'ping')))).join('\n'),
  'a million variables': creating(`"environment":{${many(1_000_000, i => `"a${i}":""`).join()}}`),
  'a million unknown fields': creating(many(1_000_000, i => `"a${i}":""`).join()),
  'ten million values of no use': creating(`"metadata":{"a":[${'{},'.repeat(10_000_000)}{}]}`),
};
const ANSWERED = {
  'ten thousand questions for the whole document': many(10_000, i => request(i, 'rpc.discover')),
  'ten thousand questions for the languages': many(10_000, i => request(i, 'language.list')),
};

/** Well over what any of these takes, and well below what each of them took when all was done in one go. */
const LONGEST_MS = 2500;

async function answerTo(text: string): Promise<unknown> {
  const client = await RpcClient.connect(server.wsUrl);
  try {
    client.socket.send(text);
    const [answer] = await once(client.socket, 'message');
    return JSON.parse(String(answer));
  } finally {
    await client.close();
  }
}

/** The longest that a look at the server's health took while something went on, milliseconds. */
async function longestWait(work: Promise<unknown>): Promise<number> {
  let going = true;
  void work.finally(() => (going = false)).catch(() => {});
  let longest = 0;
  do {
    const since = performance.now();
    await (await fetch(`${server.url}/health/live`)).text();
    longest = Math.max(longest, performance.now() - since);
  } while (going);
  await work;
  return longest;
}

test('a request of many files in deep directories is looked at in a moment', async () => {
  // What is wrong comes last.
  const paths = [...many(998, i => `${'a/'.repeat(2000)}${i}`), 'b', 'b/c'];
  const files = paths.map(path => ({ path, content: '' }));
  const body = JSON.stringify({ language: 'python', code: '1', files });
  const asking = fetch(`${server.url}/api/execution`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
  expect(await longestWait(asking)).toBeLessThan(LONGEST_MS);
  expect(await (await asking).json()).toMatchObject({
    code: 'VALIDATION_ERROR',
    message: expect.stringMatching(/^files\[999\]\.path: lies in a directory/),
  });
});

describe('a message of', () => {
  test.for(Object.entries(REFUSED))('%s is refused at once', async ([, text]) => {
    const answer = answerTo(text);
    expect(await longestWait(answer)).toBeLessThan(LONGEST_MS);
    expect(await answer).toMatchObject({ error: { code: -32700 } });
  });

  test.for(Object.entries(ANSWERED))('%s is answered between others', async ([, batch]) => {
    const answer = answerTo(JSON.stringify(batch));
    expect(await longestWait(answer)).toBeLessThan(LONGEST_MS);
    expect(await answer).toHaveLength(batch.length);
  });
});
