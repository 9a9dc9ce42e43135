import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { Duplex, Readable } from 'node:stream';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { ContentLengthReader, framed } from '../../src/wire/content-length.ts';
import { CLI, CLI_ENV } from '../support/cli.ts';
import { openHttp } from '../unit/support/open-http.ts';

/** What editors get of `codebeaker dap`, over a debugger that answers whatever it is asked. */
const KEY = 'key-of-ann-0001';

let door: Awaited<ReturnType<typeof openHttp>>;
let sessionId: string;
beforeAll(async () => {
  door = await openHttp(
    { CODEBEAKER_API_KEYS: KEY },
    {
      adapters: { show: async () => '/packages/x/python' },
      capabilities: { layers: true },
      async script(_, { typed, print }) {
        const reader = new ContentLengthReader();
        for await (const piece of typed())
          for (const text of reader.push(piece)) {
            const { seq: request_seq, command } = JSON.parse(text);
            await print(
              framed(JSON.stringify({ seq: 1, type: 'response', request_seq, command, success: true })),
            );
          }
        return {};
      },
    },
  );
  const answer = await fetch(`${door.url}/api/session`, {
    method: 'POST',
    headers: { 'x-api-key': KEY, 'content-type': 'application/json' },
    body: '{"language":"python"}',
  });
  sessionId = ((await answer.json()) as { sessionId: string }).sessionId;
});
afterAll(() => door.app.close());

const run = (args: string[], env: Record<string, string> = {}) =>
  spawn(process.execPath, [CLI, 'dap', ...args], {
    env: { ...CLI_ENV, CODEBEAKER_URL: door.url, CODEBEAKER_API_KEY: KEY, ...env },
  });

/** The names of what comes, until there are so many. */
async function answers(stream: Readable, count: number): Promise<string[]> {
  const reader = new ContentLengthReader();
  const names: string[] = [];
  for await (const piece of stream) {
    for (const text of reader.push(piece)) names.push(JSON.parse(text).command);
    if (names.length >= count) break;
  }
  return names;
}

function asks(into: Pick<Duplex, 'write'>, ...commands: string[]): void {
  for (const [i, command] of commands.entries())
    into.write(framed(JSON.stringify({ seq: i + 1, type: 'request', command })));
}

async function ended(args: string[], env: Record<string, string> = {}) {
  const running = run(args, env);
  running.stdin.end();
  return endOf(running);
}

async function endOf(running: ReturnType<typeof run>) {
  let stderr = '';
  running.stderr.on('data', chunk => (stderr += chunk));
  const [code] = await once(running, 'close');
  return { code, stderr };
}

/** Another way to the server, which may be cut. */
async function way() {
  const ends = new Set<Socket>();
  const server = createServer(near => {
    const far = connect(door.port, '127.0.0.1');
    for (const end of [near, far]) ends.add(end.on('error', () => {}));
    near.pipe(far).pipe(near);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = () => {
    server.close();
    for (const end of ends) end.destroy();
  };
  onTestFinished(cut);
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, cut };
}

test('a debugger is spoken to on standard input and output, and ends as it is told', async () => {
  const running = run(['--session', sessionId]);
  asks(running.stdin, 'initialize', 'threads', 'disconnect');
  const closed = once(running, 'close');
  expect(await answers(running.stdout, 3)).toEqual(['initialize', 'threads', 'disconnect']);
  expect((await closed)[0]).toBe(0);
});

test('editors connect to a port, each to a debugger of its own, and a web page to none', async () => {
  const running = run(['--session', sessionId, '--port', '0', '--language', 'py']);
  try {
    const [line] = await once(running.stderr, 'data');
    const port = Number(/port (\d+) of 127/.exec(String(line))?.[1]);
    const [one, other] = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')];
    asks(one, 'initialize', 'disconnect');
    asks(other, 'threads');
    expect(await answers(one, 2)).toEqual(['initialize', 'disconnect']);
    expect(await answers(other, 1)).toEqual(['threads']);
    const page = await fetch(`http://127.0.0.1:${port}/`, {
      method: 'POST',
      body: JSON.stringify({ seq: 1, type: 'request', command: 'threads' }),
    }).catch(error => error.name);
    expect(page).toBe('TypeError');
  } finally {
    running.kill('SIGINT');
  }
  expect((await once(running, 'close'))[0]).toBe(0);
});

test('a server that is lost ends what speaks to its debugger', async () => {
  const { url, cut } = await way();
  const running = run(['--session', sessionId], { CODEBEAKER_URL: url });
  const end = endOf(running);
  asks(running.stdin, 'initialize');
  await answers(running.stdout, 1);
  cut();
  expect(await end).toEqual({
    code: 70,
    stderr: `codebeaker: The connection to ${url} was lost, and its debugger with it\n`,
  });
});

test('a server that is lost ends what listens for editors', async () => {
  const { url, cut } = await way();
  const running = run(['--session', sessionId, '--port', '0'], { CODEBEAKER_URL: url });
  const end = endOf(running);
  await once(running.stderr, 'data');
  cut();
  expect(await end).toEqual({ code: 69, stderr: expect.stringMatching(`No answer from ${url}`) });
});

test.each([
  ['--session is missing', [], {}, 64],
  ["--port can't be", ['--session', 'x', '--port', '99999'], {}, 64],
  ['did you mean --session?', ['--sesion', 'x'], {}, 64],
  ['Session not found', ['--session', 'x'], {}, 69],
  ['Session not found', ['--session', 'x', '--port', '0'], {}, 69],
  ['asks for a key', ['--session', 'x'], { CODEBEAKER_API_KEY: '' }, 69],
  [
    'No CodeBeaker answers at http://127.0.0.1:1',
    ['--session', 'x'],
    { CODEBEAKER_URL: 'http://127.0.0.1:1' },
    69,
  ],
] as const)('%s: that is told', async (words, args, env, code) => {
  const end = await ended([...args], env);
  expect(end).toEqual({ code, stderr: expect.stringContaining(words) });
});
