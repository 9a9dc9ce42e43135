import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { RpcClient } from '../support/rpc-client.ts';
import { familyOf } from '../support/traces.ts';
import { type Figure, figure, pause } from './measure.ts';
import { type Setting, subjects } from './setting.ts';

const KB_PER_MB = 1024;
/** How many at once. */
const COUNTS: Readonly<Record<string, readonly number[]>> = {
  Bun: [1, 100, 500],
  Python: [1, 100, 500],
  Deno: [1, 20],
  NodeJs: [1, 100],
  Docker: [1, 100],
};

/** After the last call; a server at rest gives memory back, and wakes for less. */
const AT_REST_MS = 15_000;
/** Sandboxes at once in which nothing has run. */
const EMPTY = 10;

/** Private memory of all processes of an idle session, one and many at once; all are closed, and nothing is left. */
export async function idleMemory(setting: Setting): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const { runtimeType, language } of subjects(setting)) {
    for (const count of COUNTS[runtimeType] ?? []) {
      if (setting.quick && count > 100) continue;
      setting.say(`memory of ${count} sessions on ${runtimeType}`);
      const client = await RpcClient.connect(setting.server.wsUrl);
      const sessions = [];
      for (let i = 0; i < count; i++) {
        const session = await client.call('session.create', { language, runtimeType });
        const command = { type: 'execute_code', code: '1' };
        await client.call('session.execute', { sessionId: session.sessionId, command });
        sessions.push(session);
      }
      const names = sessions.map(({ environmentId }) => sandboxNameOf(environmentId, runtimeType));
      const all = processes();
      const samples = names.slice(0, 50).map(name => privateMegabytes(name, all));
      figures.push(figure('memory of an idle session', `${runtimeType}: ${count} at once`, 'MB', samples));
      await Promise.all(sessions.map(({ sessionId }) => client.call('session.close', { sessionId })));
      await vanish(names);
      await client.close();
    }
  }
  return figures;
}

/** Private memory of all processes of a sandbox in which nothing has run yet. */
export async function emptySandboxes(setting: Setting): Promise<Figure[]> {
  const figures: Figure[] = [];
  // Local sandboxes differ in what runs in them.
  for (const { runtimeType, language } of subjects(setting, 'Bun', 'Docker')) {
    setting.say(`memory of sandboxes on ${runtimeType}`);
    const client = await RpcClient.connect(setting.cold.wsUrl);
    const create = () => client.call('session.create', { language, runtimeType });
    const sessions = await Promise.all(Array.from({ length: EMPTY }, create));
    const all = processes();
    const samples = sessions.map(({ environmentId }) =>
      privateMegabytes(sandboxNameOf(environmentId, runtimeType), all),
    );
    figures.push(figure('memory of an idle sandbox', `${runtimeType}, without a kernel`, 'MB', samples));
    await Promise.all(sessions.map(({ sessionId }) => client.call('session.close', { sessionId })));
    await client.close();
  }
  return figures;
}

/** Of the server and what it started, with nothing waiting: resident memory, and how often each wakes. */
export async function idleServer({ cold, quick, say }: Setting): Promise<Figure[]> {
  say('an idle server');
  await pause(quick ? 500 : AT_REST_MS);
  const pids = familyOf(cold.pid).processes.map(({ pid }) => pid);
  const started = pids.filter(pid => pid !== cold.pid);
  const resident = pids.reduce((sum, pid) => sum + kilobytes(pid, 'Rss'), 0) / KB_PER_MB;
  const own = pids.reduce((sum, pid) => sum + kilobytes(pid, 'Pss'), 0) / KB_PER_MB;
  const before = [wakeups([cold.pid]), wakeups(started)] as const;
  const seconds = quick ? 2 : 30;
  await pause(seconds * 1000);
  const rate = (now: number, then: number) => (now - then) / seconds;
  return [
    figure('idle server', 'resident, all its processes', 'MB', [resident]),
    figure('idle server', 'resident, what they share counted once', 'MB', [own]),
    figure('idle server', 'wakeups of the server', '/s', [rate(wakeups([cold.pid]), before[0])]),
    figure('idle server', 'wakeups of what it started', '/s', [rate(wakeups(started), before[1])]),
  ];
}

/** How often threads of these processes have waited, and so been woken. */
export function wakeups(pids: readonly number[]): number {
  const statuses = pids.flatMap(pid =>
    readdirSync(`/proc/${pid}/task`).map(thread => read(`/proc/${pid}/task/${thread}/status`)),
  );
  return statuses.reduce(
    (sum, said) => sum + Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(said)?.[1]),
    0,
  );
}

/** Until no process of any of them is left. @throws after ten seconds */
async function vanish(names: readonly string[]): Promise<void> {
  for (let waited = 0; ; waited++) {
    // One look for all of them: each reads two files of every process of the machine.
    const said = processes()
      .map(({ said }) => said)
      .join();
    const left = names.filter(name => said.includes(name));
    if (left.length === 0) return;
    if (waited === 10) throw new Error(`${left.length} sessions left processes behind`);
    await pause(1000);
  }
}

/** Who names a sandbox: its control group does; a container's shim has it on its command line. */
function processes(): { pid: string; said: string }[] {
  const pids = readdirSync('/proc').filter(pid => /^\d+$/.test(pid));
  return pids.map(pid => {
    const [, shim = ''] = /-id\0(\w+)/.exec(read(`/proc/${pid}/cmdline`)) ?? [];
    return { pid, said: `${read(`/proc/${pid}/cgroup`)} ${shim}` };
  });
}

/** What its control group is named after: itself, or its container. */
function sandboxNameOf(environmentId: string, runtimeType: string): string {
  if (runtimeType !== 'Docker') return environmentId;
  const filter = `label=codebeaker.session=${environmentId}`;
  const { stdout } = spawnSync('docker', ['ps', '--all', '--quiet', '--no-trunc', '--filter', filter]);
  const id = String(stdout ?? '').trim();
  if (!id) throw new Error(`there is no container of ${environmentId}`);
  return id;
}

/** Of all processes of a sandbox, by its name. */
export function privateMegabytes(name: string, all = processes()): number {
  const own = all.filter(({ said }) => said.includes(name));
  return own.reduce((sum, { pid }) => sum + kilobytes(pid, 'Private_\\w+'), 0) / KB_PER_MB;
}

/** The sum of the lines of a process's memory map that are named so. */
function kilobytes(pid: string | number, name: string): number {
  const lines = read(`/proc/${pid}/smaps_rollup`).matchAll(new RegExp(`^${name}: +(\\d+) kB$`, 'gm'));
  return [...lines].reduce((sum, [, value]) => sum + Number(value), 0);
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
