import { afterAll, beforeAll, expect, test } from 'vitest';
import { residentBytes } from '../support/memory.ts';
import { RpcClient } from '../support/rpc-client.ts';
import { type RunningServer, startServer } from '../support/start-server.ts';
import { isContiguous, seqsOf } from '../support/stream.ts';

/** A program prints without end and nobody reads: it has to wait, and the server's memory stays flat. */
let server: RunningServer;
beforeAll(async () => {
  server = await startServer({
    env: { CODEBEAKER_RUNTIMES: 'Python', CODEBEAKER_MAX_STREAM_BYTES: '1000000000' },
  });
});
afterAll(() => server.stop());

const FLOOD = `import sys\nwhile True: sys.stdout.write('x' * 65535 + '\\n')`;
const MB = 1 << 20;

test.for(['execution.run', 'session.execute'])(
  'a slow reader of %s holds up the program, not the server',
  async method => {
    const client = await RpcClient.connect(server.wsUrl);
    if (method === 'execution.run') {
      client.request(method, { language: 'python', code: FLOOD, stream: true, timeout: 60 });
    } else {
      const { sessionId } = await client.call('session.create', { language: 'python' });
      const command = { type: 'execute_code', code: FLOOD, timeout: 60 };
      client.request(method, { sessionId, command, stream: true });
    }
    await client.notified(n => n.method === 'execution.output');
    client.socket.pause();
    await new Promise(resolve => setTimeout(resolve, 500));
    const before = residentBytes(server.pid);
    const highest = await highestOver(2500, () => residentBytes(server.pid));
    expect(highest - before).toBeLessThan(48 * MB);

    const other = await RpcClient.connect(server.wsUrl);
    expect(await other.call('execution.run', { language: 'python', code: 'print(1)' })).toMatchObject({
      stdout: '1\n',
    });
    await other.close();

    const had = client.notifications.length;
    client.socket.resume();
    await client.until(() => client.notifications.length > had + 100);
    expect(isContiguous(seqsOf(client.notifications))).toBe(true);
    client.socket.terminate();
  },
);

test('a fast reader does not make the server grow either', { timeout: 240_000 }, async () => {
  const client = await RpcClient.connect(server.wsUrl);
  const print = async (megabytes: number) => {
    const code = `import sys\nfor _ in range(${megabytes}): sys.stdout.write('x' * 1_000_000)`;
    const params = { language: 'python', code, stream: true, timeout: 100 };
    const end = await client.call('execution.run', params);
    expect(end).toMatchObject({ outcome: 'ok', stdoutBytes: megabytes * 1_000_000, truncated: true });
    client.notifications.length = 0;
  };
  // The first of it makes the engine's heap for short-lived things as large as it gets.
  await print(40);
  const before = residentBytes(server.pid);
  await print(100);
  // What is garbage goes when the engine has a quiet moment; what is kept does not.
  await expect.poll(() => residentBytes(server.pid) - before, { timeout: 60_000 }).toBeLessThan(80 * MB);
  await client.close();
});

async function highestOver(ms: number, figure: () => number): Promise<number> {
  let highest = 0;
  for (const end = Date.now() + ms; Date.now() < end; ) {
    highest = Math.max(highest, figure());
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  return highest;
}
