import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { describe, expect, inject, test } from 'vitest';
import { CLI, CLI_ENV } from '../support/cli.ts';
import { ERAS, textOf } from '../support/mcp-client.ts';

/** `codebeaker mcp`, as clients that start programs use it. */
const server = inject('server');
const run = promisify(execFile);

describe.for(ERAS)('a client of %s', era => {
  test('reaches the server through a program: code, progress, cancellation, and an end that leaves nothing', async () => {
    const options = era === '2026-07-28' ? { versionNegotiation: { mode: 'auto' as const } } : {};
    const client = new Client({ name: 'tests', version: '1' }, options);
    const env = { ...CLI_ENV, CODEBEAKER_URL: server.url };
    await client.connect(new StdioClientTransport({ command: process.execPath, args: [CLI, 'mcp'], env }));
    expect(client.getNegotiatedProtocolVersion()).toBe(era);
    const call = (args: object, more: object = {}) =>
      client.callTool({ name: 'execute_code', arguments: { ...args } }, more);
    const first = await call({ code: 'x = 1' });
    const { sessionId, sessionBegan } = first.structuredContent as {
      sessionId: string;
      sessionBegan: boolean;
    };
    expect(sessionBegan).toBe(true);
    const cancelled = new AbortController();
    const heard: unknown[] = [];
    const onprogress = ({ message }: { message?: string }) => {
      heard.push(message);
      cancelled.abort('enough');
    };
    const code = 'print("é", flush=True)\nimport time; time.sleep(60)';
    await expect(call({ code }, { signal: cancelled.signal, onprogress })).rejects.toThrow('enough');
    expect(heard).toEqual(['é\n']);
    expect(textOf(await call({ code: 'x' }))).toBe('1');
    await client.close();
    await expect.poll(async () => (await fetch(`${server.url}/api/session/${sessionId}`)).status).toBe(404);
  });
});

/** What it prints for one line, of a server at that address. */
async function printsFor(line: string, url: string): Promise<unknown[]> {
  const running = run(process.execPath, [CLI, 'mcp'], { env: { ...CLI_ENV, CODEBEAKER_URL: url } });
  running.child.stdin!.end(`${line}\n`);
  const { stdout } = await running;
  return stdout
    .trim()
    .split('\n')
    .map(text => JSON.parse(text));
}

test('answers what it cannot hand on, and what the server refuses, with the id that was asked', async () => {
  expect(await printsFor('{half', server.url)).toMatchObject([{ id: null, error: { code: -32700 } }]);
  const ping = '{"jsonrpc":"2.0","id":"a","method":"ping"}';
  expect(await printsFor(ping, server.url)).toEqual([{ jsonrpc: '2.0', id: 'a', result: {} }]);
  const nowhere = 'http://127.0.0.1:9';
  expect(await printsFor(ping, nowhere)).toMatchObject([
    { id: 'a', error: { message: expect.stringContaining(nowhere) } },
  ]);
  expect(await printsFor(`[${ping}]`, server.url)).toMatchObject([{ id: null, error: { code: -32600 } }]);
});

test('says how it is used', async () => {
  const { stdout } = await run(process.execPath, [CLI, '--help'], { env: CLI_ENV });
  expect(stdout).toContain('CODEBEAKER_URL');
  await expect(run(process.execPath, [CLI, 'what'], { env: CLI_ENV })).rejects.toMatchObject({ code: 64 });
});

test('the configurations in its document are JSON, and start the program that is there', () => {
  const document = readFileSync(join(import.meta.dirname, '../../routes/mcp/protocol.md'), 'utf8');
  const [http, stdio] = [...document.matchAll(/^```json\n(.*?)^```$/gms)].map(([, text]) =>
    JSON.parse(text!),
  );
  expect(new URL(http.servers.codebeaker.url).pathname).toBe('/mcp');
  const { args } = stdio.mcpServers.codebeaker;
  expect(args).toEqual([expect.stringMatching(/\/src\/cli\/codebeaker\.ts$/), 'mcp']);
});
