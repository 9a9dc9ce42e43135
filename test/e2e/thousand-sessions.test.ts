import { expect, test } from 'vitest';
import { RpcClient } from '../support/rpc-client.ts';
import { startServer } from '../support/start-server.ts';
import { familyOf, remains, vanishes } from '../support/traces.ts';

/** By hand a thousand, where a login gives 1024 (systemd's DefaultLimitNOFILE). */
const SESSIONS = Number(process.env.CODEBEAKER_SESSIONS ?? 250);
/** Far below two for each session. */
const USUAL_OPEN_FILES = Math.max(1024 * (SESSIONS / 1000), 200);
const AT_ONCE = 8;
/** Half a minute on a machine with nothing else to do. */
const TIMEOUT_MS = 300_000;

/** Does something with each, some of them at a time. */
async function forEach<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const rest = items.values();
  const worker = async () => {
    for (const item of rest) await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

test(`${SESSIONS} sessions are open at once where ${USUAL_OPEN_FILES} descriptors are the usual limit`, {
  timeout: TIMEOUT_MS,
}, async () => {
  const env = { CODEBEAKER_RUNTIMES: 'Bun,Python', CODEBEAKER_POOL_SIZE: '0' };
  const server = await startServer({ env, openFiles: USUAL_OPEN_FILES });
  try {
    const client = await RpcClient.connect(server.wsUrl);
    const ids = new Map<number, string>();
    const numbers = Array.from({ length: SESSIONS }, (_, i) => i);
    await forEach(numbers, async i => {
      const language = i % 2 ? 'python' : 'javascript';
      ids.set(i, (await client.call('session.create', { language, memoryLimitMB: 32 })).sessionId);
    });
    const said = new Map<number, string>();
    await forEach(numbers, async i => {
      const command = { type: 'execute_shell', commandName: 'echo', args: [String(i)] };
      const { result } = await client.call('session.execute', { sessionId: ids.get(i), command });
      said.set(i, result.stdout);
    });
    expect(numbers.filter(i => said.get(i) !== `${i}\n`)).toEqual([]);
    const family = familyOf(server.pid);
    expect(family.processes.length).toBeGreaterThan(SESSIONS);
    await forEach([...ids.values()], sessionId => client.call('session.close', { sessionId }));
    await client.close();
    await server.stop();
    expect(await vanishes(() => remains(family))).toEqual([]);
  } finally {
    await server.stop();
  }
});
