import { RpcClient } from '../support/rpc-client.ts';
import { familyOf } from '../support/traces.ts';
import { type Figure, figure, pause } from './measure.ts';
import { privateMegabytes, wakeups } from './memory.ts';
import { type Setting, subjects } from './setting.ts';

const GROUP = 'features';
const CLIENTS = 10;
const CELLS = 20;
/** After the last cell, and then how long wakeups are counted. */
const AT_REST_MS = 10_000;
const COUNTED_S = 10;
const ALL = { requestsStreaming: true, requestsFileWatch: true, requestsTerminals: true };

/** What a client that asked for no feature in `initialize` is told and holds, beside one that uses all it asked for. */
export async function features(setting: Setting): Promise<Figure[]> {
  const [subject] = subjects(setting, 'Python');
  if (!subject) return [];
  const figures: Figure[] = [];
  for (const [name, clientCapabilities] of [
    ['none asked for', {}],
    ['all in use', ALL],
  ] as const) {
    setting.say(`features: ${name}`);
    const clients = await Promise.all(
      Array.from({ length: CLIENTS }, () => open(setting.cold.wsUrl, subject.language, clientCapabilities)),
    );
    const before = clients.map(({ client }) => client.notifications.length);
    for (const { client, sessionId } of clients) {
      const command = { type: 'execute_code', code: 'print(1)' };
      for (let i = 0; i < CELLS; i++)
        await client.call('session.execute', { sessionId, command, stream: true });
    }
    const told = clients.map(({ client }, i) => (client.notifications.length - before[i]!) / CELLS);
    const memory = clients.map(({ environmentId }) => privateMegabytes(environmentId));
    await pause(setting.quick ? 500 : AT_REST_MS);
    const pids = familyOf(setting.cold.pid).processes.map(({ pid }) => pid);
    const seconds = setting.quick ? 2 : COUNTED_S;
    const woken = wakeups(pids);
    await pause(seconds * 1000);
    const rate = (wakeups(pids) - woken) / seconds;
    figures.push(
      figure(GROUP, `messages beside the answer to a cell, ${name}`, 'messages', told),
      figure(GROUP, `memory of an idle session, ${name}`, 'MB', memory),
      figure(GROUP, `wakeups of all processes with ${CLIENTS} idle sessions, ${name}`, '/s', [rate]),
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
