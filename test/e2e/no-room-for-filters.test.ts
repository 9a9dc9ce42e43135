import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { FakeEngine } from '../support/fake-engine.ts';
import { http, runOnce } from '../support/rest-client.ts';
import { type RunningServer, startServer } from '../support/start-server.ts';

/** The machine has no room for another compiled filter, as its kernel or its engine tells whoever starts a sandbox. */
const REFUSED = join(import.meta.dirname, '../support/filters-refused.py');
const HELLO = { language: 'python', runtimeType: 'Python', code: 'print(1)' };
/** What runc 1.1 says, and the engine passes on. */
const RUNC =
  'unable to init seccomp: error loading seccomp filter into kernel: error loading seccomp filter: errno 524';
const ATTACHED = 'HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n';

const ended: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
});

/** As /metrics has them. */
const counts = (filters: number) =>
  Object.fromEntries(
    ['Python', 'Docker'].flatMap(runtime => [
      [`{runtime="${runtime}",reason="filters"}`, filters],
      [`{runtime="${runtime}",reason="other"}`, 0],
    ]),
  );

async function failed({ url }: RunningServer): Promise<Record<string, number>> {
  const { body } = await http(`${url}/metrics`);
  const samples = body.matchAll(/^codebeaker_sandbox_starts_failed(\{.*\}) (\d+)$/gm);
  return Object.fromEntries([...samples].map(([, labels, count]) => [labels, Number(count)]));
}

/** An engine that attaches to a container, and whose runc can't start it. */
function noFilter({ url }: IncomingMessage, response: ServerResponse): void {
  if (url?.includes('/attach')) response.socket?.write(ATTACHED);
  else response.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify({ message: RUNC }));
}

/** What a client is told that asks for a session. */
async function isRefused({ url }: RunningServer, session: Record<string, string>): Promise<void> {
  const { status, headers, body } = await http(`${url}/api/session`, 'POST', {
    language: 'python',
    ...session,
  });
  expect({ status, code: body.code }).toEqual({ status: 422, code: 'RUNTIME_UNAVAILABLE' });
  expect(body.message).toMatch(/no room for another system call filter.*try again$/);
  expect(headers.get('retry-after')).toBe('1');
}

test.for(['on', 'off'])(
  'a start that the kernel, or runc, refuses a filter is told and counted, with forking %s',
  async fork => {
    const directory = mkdtempSync(join(tmpdir(), 'codebeaker-filters-'));
    ended.push(() => rmSync(directory, { recursive: true }));
    const full = join(directory, 'full');
    // The launcher is started by the first program of that name.
    const unshare = join(directory, 'unshare');
    writeFileSync(unshare, `#!/bin/sh\nexec python3 ${REFUSED} ${full} /usr/bin/unshare "$@"\n`);
    chmodSync(unshare, 0o755);
    const engine = new FakeEngine();
    ended.push(() => engine[Symbol.dispose]());
    const server = await startServer({
      env: {
        PATH: `${directory}:${process.env.PATH}`,
        DOCKER_HOST: `unix://${engine.socket}`,
        CODEBEAKER_FORK: fork,
        CODEBEAKER_RUNTIMES: 'Python,Docker',
        // Each failure is of a start that a client asked for.
        CODEBEAKER_POOL_SIZE: '0',
      },
    });
    ended.push(() => server.stop());
    expect(await runOnce(server.url, HELLO)).toMatchObject({ outcome: 'ok', stdout: '1\n' });
    expect(await failed(server)).toEqual(counts(0));
    writeFileSync(full, '');
    engine.misbehave = [/^POST \/containers\/\w+\/(attach|start)/, noFilter];
    await isRefused(server, { runtimeType: 'Python' });
    await isRefused(server, { dockerImage: 'codebeaker-there-full' });
    expect(await failed(server)).toEqual(counts(1));
    rmSync(full);
    expect(await runOnce(server.url, HELLO)).toMatchObject({ outcome: 'ok', stdout: '1\n' });
    expect(await failed(server)).toEqual(counts(1));
  },
);
