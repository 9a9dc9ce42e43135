import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EXIT } from '../../src/cli/exit-codes.ts';
import { ContentLengthReader, framed } from '../../src/wire/content-length.ts';
import { CLI, CLI_ENV } from '../support/cli.ts';
import { openHttp } from '../unit/support/open-http.ts';

/** `codebeaker dap` with an editor that asks and never reads, while the program that it debugs prints without end. */
const MB = 1024 * 1024;

let door: Awaited<ReturnType<typeof openHttp>>;
let sessionId: string;
let ended = 0;
beforeAll(async () => {
  door = await openHttp(
    {},
    {
      adapters: { show: async () => '/packages/x/python' },
      capabilities: { layers: true },
      async script(_, { typed, print, killed }) {
        const reader = new ContentLengthReader();
        const body = { category: 'stdout', output: 'x'.repeat(MB) };
        const text = framed(JSON.stringify({ seq: 1, type: 'event', event: 'output', body }));
        killed.addEventListener('abort', () => ended++);
        for await (const piece of typed())
          for (const _asked of reader.push(piece)) while (!killed.aborted) await print(text);
        return {};
      },
    },
  );
  const answer = await fetch(`${door.url}/api/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"language":"python"}',
  });
  sessionId = ((await answer.json()) as { sessionId: string }).sessionId;
});
afterAll(() => door.app.close());

const run = (...args: string[]) =>
  spawn(process.execPath, [CLI, 'dap', '--session', sessionId, ...args], {
    env: { ...CLI_ENV, CODEBEAKER_URL: door.url },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
const asked = framed(JSON.stringify({ seq: 1, type: 'request', command: 'threads' }));
const WORDS = 'The editor does not read what its debugger says, which was ended\n';

test('on standard output it is told, and its debugger ends with what it held', async () => {
  const running = run();
  running.stdin.write(asked);
  let words = '';
  running.stderr.on('data', chunk => (words += chunk));
  // Its output stays unread, so that the end of all of its streams can't be waited for.
  const [[code]] = await Promise.all([once(running, 'exit'), once(running.stderr, 'close')]);
  expect({ code, words }).toEqual({ code: EXIT.unavailable, words: `codebeaker: ${WORDS}` });
  await expect.poll(() => ended).toBe(1);
});

test('on a port it is cut off alone, and the next editor is served', async () => {
  const running = run('--port', '0');
  try {
    let words = '';
    running.stderr.on('data', chunk => (words += chunk));
    await expect.poll(() => words).toMatch(/port \d+ of 127/);
    const port = Number(/port (\d+) of 127/.exec(words)?.[1]);
    const deaf = connect(port, '127.0.0.1');
    deaf.on('error', () => {});
    deaf.write(asked);
    await expect.poll(() => words).toContain(WORDS);
    const next = connect(port, '127.0.0.1');
    next.on('error', () => {});
    next.write(asked);
    expect(String((await once(next, 'data'))[0])).toMatch(/^Content-Length/);
    next.destroy();
    deaf.destroy();
  } finally {
    running.kill('SIGINT');
  }
  expect((await once(running, 'exit'))[0]).toBe(0);
});
