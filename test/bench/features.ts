import { readFileSync } from 'node:fs';
import { RpcClient } from '../support/rpc-client.ts';
import { familyOf } from '../support/traces.ts';
import { type Figure, figure, pause } from './measure.ts';
import { privateMegabytes } from './memory.ts';
import { type Setting, subjects } from './setting.ts';

const GROUP = 'features';
const CLIENTS = 10;
const CELLS = 20;
const ALL = { requestsStreaming: true, requestsFileWatch: true, requestsTerminals: true };

/** What a client costs that asked for no feature in `initialize`, beside one that uses all it asked for, and nobody at all. */
export async function features(setting: Setting): Promise<Figure[]> {
  const [subject] = subjects(setting, 'Python');
  if (!subject) return [];
  const { cold, quick, say } = setting;
  const waitMs = quick ? 2000 : 10_000;
  const figures = [figure(GROUP, 'wakeups of the service, nobody', '/s', [await wakeups(cold.pid, waitMs)])];
  for (const [name, clientCapabilities] of [
    ['none asked for', {}],
    ['all in use', ALL],
  ] as const) {
    say(`features: ${name}`);
    const clients = await Promise.all(
      Array.from({ length: CLIENTS }, () => open(cold.wsUrl, subject.language, clientCapabilities)),
    );
    const before = clients.map(({ client }) => client.notifications.length);
    for (const { client, sessionId } of clients) {
      const command = { type: 'execute_code', code: 'print(1)' };
      for (let i = 0; i < CELLS; i++)
        await client.call('session.execute', { sessionId, command, stream: true });
    }
    const told = clients.map(({ client }, i) => (client.notifications.length - before[i]!) / CELLS);
    const memory = clients.map(({ environmentId }) => privateMegabytes(environmentId));
    // Of the service's own processes and those of its sandboxes, while nothing is asked.
    const woken = await wakeups(cold.pid, waitMs);
    figures.push(
      figure(GROUP, `messages beside the answer to a cell, ${name}`, 'messages', told),
      figure(GROUP, `memory of an idle session, ${name}`, 'MB', memory),
      figure(GROUP, `wakeups of the service with ${CLIENTS} idle clients, ${name}`, '/s', [woken]),
    );
    for (const { client, sessionId } of clients) {
      await client.call('session.close', { sessionId });
      await client.close();
    }
  }
  return figures;
}

async function open(wsUrl: string, language: string, clientCapabilities: object) {
  const client = await RpcClient.connect(wsUrl);
  await client.call('initialize', { clientCapabilities });
  const { sessionId, environmentId } = await client.call('session.create', {
    language,
    runtimeType: 'Python',
  });
  if (clientCapabilities === ALL) {
    await client.call('fs.watch', { sessionId, recursive: true });
    const command = {
      type: 'execute_shell',
      commandName: 'cat',
      pty: { cols: 80, rows: 24 },
      background: true,
    };
    await client.call('session.execute', { sessionId, command });
  }
  return { client, sessionId, environmentId };
}

/** Times a second that the threads of a process and of what it started gave up a CPU and were given one again. */
async function wakeups(pid: number, ms: number): Promise<number> {
  const before = switches(pid);
  await pause(ms);
  const after = switches(pid);
  let count = 0;
  for (const [each, value] of after) count += value - (before.get(each) ?? value);
  return (count * 1000) / ms;
}

function switches(pid: number): Map<number, number> {
  return new Map(
    familyOf(pid).processes.map(process => {
      try {
        const status = readFileSync(`/proc/${process.pid}/status`, 'utf8');
        return [process.pid, Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(status)?.[1])];
      } catch {
        return [process.pid, 0];
      }
    }),
  );
}
