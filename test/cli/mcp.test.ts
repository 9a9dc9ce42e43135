import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CLI, CLI_ENV } from '../support/cli.ts';
import { openHttp } from '../unit/support/open-http.ts';

/** What `codebeaker mcp` says where the server does not let it in, or is none. */
const KEY = 'key-of-ann-0001';
const PING = '{"jsonrpc":"2.0","id":1,"method":"ping"}\n';
const run = promisify(execFile);

let door: Awaited<ReturnType<typeof openHttp>>;
const other = createServer((_, response) => response.writeHead(502).end('<html>Bad gateway</html>'));
beforeAll(async () => {
  door = await openHttp({ CODEBEAKER_API_KEYS: KEY });
  await new Promise<void>(resolve => other.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  await door.app.close();
  other.close();
});

/** Sends two pings, and a notification that nobody answers. */
async function asked(env: Record<string, string>) {
  const running = run(process.execPath, [CLI, 'mcp'], { env: { ...CLI_ENV, ...env } });
  running.child.stdin!.end(`${PING}{"jsonrpc":"2.0","method":"notifications/initialized"}\n${PING}`);
  const { stdout, stderr } = await running;
  return {
    stderr,
    answers: stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line)),
  };
}

test('a server that wants a key is told by the setting that is missing, once for people', async () => {
  const { answers, stderr } = await asked({ CODEBEAKER_URL: door.url });
  const message = `${door.url}/mcp asks for a key: set CODEBEAKER_API_KEY to one of its keys`;
  const answer = { jsonrpc: '2.0', id: 1, error: { code: -32000, message } };
  expect(answers).toEqual([answer, answer]);
  expect(stderr).toBe(`${message}\n`);
});

test('so is a key that it does not take', async () => {
  const { answers } = await asked({ CODEBEAKER_URL: door.url, CODEBEAKER_API_KEY: 'wrong' });
  expect(answers[0].error.message).toMatch(/does not take the key in CODEBEAKER_API_KEY$/);
});

test('with a key all is answered', async () => {
  const { answers, stderr } = await asked({ CODEBEAKER_URL: door.url, CODEBEAKER_API_KEY: KEY });
  const answer = { jsonrpc: '2.0', id: 1, result: {} };
  expect(answers).toEqual([answer, answer]);
  expect(stderr).toBe('');
});

test('what is no such server is told in words', async () => {
  const { port } = other.address() as AddressInfo;
  const { answers } = await asked({ CODEBEAKER_URL: `http://127.0.0.1:${port}` });
  expect(answers[0].error.message).toBe(`http://127.0.0.1:${port}/mcp answered with 502`);
  const without = await openHttp({ CODEBEAKER_DOORS: 'none' });
  const closed = await asked({ CODEBEAKER_URL: without.url });
  expect(closed.answers[0].error.message).toMatch(/does not speak this protocol.*CODEBEAKER_DOORS/);
  await without.app.close();
});

test.each(['localhost:5039', '127.0.0.1', 'ftp://127.0.0.1'])(
  'an address that is none is refused: %s',
  async url => {
    const refused = run(process.execPath, [CLI, 'mcp'], { env: { ...CLI_ENV, CODEBEAKER_URL: url } });
    await expect(refused).rejects.toMatchObject({
      code: 64,
      stderr: expect.stringMatching(
        /^codebeaker: CODEBEAKER_URL can't be .* such as http:\/\/127\.0\.0\.1:5039\.\n/,
      ),
    });
  },
);

test('says how it is used where it is asked, and what it does not know', async () => {
  const { stdout } = await run(process.execPath, [CLI, 'mcp', '--help'], { env: CLI_ENV });
  expect(stdout).toMatch(/^codebeaker mcp .*CODEBEAKER_URL/s);
  await expect(run(process.execPath, [CLI, 'mcp', 'mpc'], { env: CLI_ENV })).rejects.toMatchObject({
    code: 64,
    stderr: 'codebeaker: "mpc" is one too many.\nSee codebeaker mcp --help.\n',
  });
});
