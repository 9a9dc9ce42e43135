import { once } from 'node:events';
import { describe, expect, inject, test } from 'vitest';
import { WebSocket } from 'ws';
import { longestWait } from '../support/longest-wait.ts';

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

/** Of CPU: well over what any of these takes, and well below what each of them took when all was done in one go. */
const LONGEST_MS = 2500;

/** The answer as it came: to read tens of megabytes would hold up this process, and be taken for the server's doing. */
async function answerTo(text: string): Promise<Buffer> {
  const socket = new WebSocket(server.wsUrl, { perMessageDeflate: false });
  await once(socket, 'open');
  socket.send(text);
  const [answer] = await once(socket, 'message');
  socket.close();
  return answer;
}

const read = (answer: Buffer) => JSON.parse(String(answer));

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
  expect(await longestWait(server, asking)).toBeLessThan(LONGEST_MS);
  expect(await (await asking).json()).toMatchObject({
    code: 'VALIDATION_ERROR',
    message: expect.stringMatching(/^files\[999\]\.path: lies in a directory/),
  });
});

const variables = (count: number, value: string) =>
  Object.fromEntries(many(count, i => [`A${i}`, value] as const));
test.for([
  ['environment', 'very many variables', { environment: variables(4097, '') }],
  ['environment', 'very large variables', { environment: variables(9, 'x'.repeat(131_000)) }],
  ['metadata', 'very many values', { metadata: { a: many(20_000, () => ({})) } }],
  ['metadata', 'a long text', { metadata: { a: 'x'.repeat(70_000) } }],
] as const)('what a session would keep is bounded: %s of %s', async ([field, , config]) => {
  const text = JSON.stringify(request(1, 'session.create', { language: 'python', ...config }));
  expect(read(await answerTo(text))).toMatchObject({ error: { code: -32602, data: { field } } });
});

describe('a message of', () => {
  test.for(Object.entries(REFUSED))('%s is refused at once', async ([, text]) => {
    const answer = answerTo(text);
    expect(await longestWait(server, answer)).toBeLessThan(LONGEST_MS);
    expect(read(await answer)).toMatchObject({ error: { code: -32700 } });
  });

  test.for(Object.entries(ANSWERED))('%s is answered between others', async ([, batch]) => {
    const answer = answerTo(JSON.stringify(batch));
    expect(await longestWait(server, answer)).toBeLessThan(LONGEST_MS);
    expect(read(await answer)).toHaveLength(batch.length);
  });
});
