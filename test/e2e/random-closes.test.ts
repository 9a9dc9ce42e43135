import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { http } from '../support/rest-client.ts';
import { RpcClient } from '../support/rpc-client.ts';
import { type RunningServer, startServer } from '../support/start-server.ts';
import { familyOf, mark, vanishes } from '../support/traces.ts';

/** How many; by hand with more. */
const CREATIONS = Number(process.env.CODEBEAKER_CREATIONS ?? 60);
/** What bubblewrap starts takes longer each. */
const WAYS_TO_START = [
  { start: 'forked', fork: 'on', creations: CREATIONS },
  { start: 'started by bubblewrap', fork: 'off', creations: Math.ceil(CREATIONS / 3) },
];
/** At once. */
const CLIENTS = 6;
/** A creation is given up within this time, which is more than most of them take. */
const LIFE_MS = 120;
/** After the last one has been given up: pools are full again, and what was being killed is gone. */
const QUIET_MS = 30_000;

const PROGRAM = 'import subprocess, time; subprocess.Popen(["sleep", "60"]); time.sleep(60)';
const whim = () => Math.random() * LIFE_MS;
const pick = <T>(all: readonly T[]): T => all[Math.floor(Math.random() * all.length)]!;

interface Place {
  readonly server: RunningServer;
  readonly language: string;
  readonly environment: Readonly<Record<string, string>>;
}

type Way = (client: RpcClient, place: Place) => Promise<unknown>;

/** Ways to change one's mind, each at a random instant; what is answered is of no interest here. */
const WAYS: Record<string, Way> = {
  async 'a session is cancelled'(client, { language, environment }) {
    const { id, reply } = client.request('session.create', { language, environment });
    await sleep(whim());
    client.notify('$/cancelRequest', { id });
    const made = await reply.catch(() => null);
    if (made) await client.call('session.close', { sessionId: made.sessionId });
  },
  async 'a session is closed while its first cell begins'(client, { language, environment }) {
    const { sessionId } = await client.call('session.create', { language, environment });
    const command = { type: 'execute_code', code: language === 'python' ? PROGRAM : 'while (true);' };
    const running = client.request('session.execute', { sessionId, command, stream: true });
    await sleep(whim());
    await Promise.all([client.call('session.close', { sessionId }), running.reply.catch(() => {})]);
  },
  async 'a session is closed twice while commands begin in the background'(
    client,
    { language, environment },
  ) {
    const { sessionId } = await client.call('session.create', { language, environment });
    const command = { type: 'execute_shell', commandName: 'sleep', args: ['60'], background: true };
    for (let i = 0; i < 3; i++) client.request('session.execute', { sessionId, command });
    await sleep(whim());
    const close = () => client.call('session.close', { sessionId }).catch(() => {});
    await Promise.all([close(), close()]);
  },
  async 'a run is cancelled'(client, { language, environment }) {
    const { id, reply } = client.request('execution.run', {
      language,
      code: PROGRAM,
      config: { environment },
    });
    await sleep(whim());
    client.notify('$/cancelRequest', { id });
    await reply.catch(() => {});
  },
  async 'a run has next to no time'(client, { language, environment }) {
    const config = { environment, timeout: 0.001 + whim() / 1000 };
    await client.call('execution.run', { language, code: PROGRAM, config }).catch(() => {});
  },
  async 'a client goes away'(_, { server, language, environment }) {
    const client = await RpcClient.connect(server.wsUrl);
    client.request('execution.run', { language, code: PROGRAM, config: { environment }, stream: true });
    await sleep(whim());
    client.socket.terminate();
  },
  async 'a run is deleted'(_, { server, language, environment }) {
    const request = { language, code: PROGRAM, config: { environment } };
    const { body } = await http(`${server.url}/api/execution`, 'POST', request);
    await sleep(whim());
    if (body.executionId) await http(`${server.url}/api/execution/${body.executionId}`, 'DELETE');
  },
};

/** Mounts, descriptors, processes and control groups of a server, its launcher or zygote and what they started, by kind. */
function holdings({ pid }: RunningServer) {
  const { processes, cgroups } = familyOf(pid);
  const launcher = processes.find(({ pid: id }) => /launcher\/main|^\/agent\0zygote/.test(commandOf(id)));
  const descriptors = processes
    .filter(each => each === launcher || /^(node|MainThread|bun)/.test(each.name))
    .reduce((sum, each) => sum + readdirSync(`/proc/${each.pid}/fd`).length, 0);
  const mounts = readFileSync(`/proc/${launcher!.pid}/mountinfo`, 'utf8').split('\n').length;
  return { processes: processes.length, cgroups: cgroups.length, descriptors, mounts };
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

describe.each(WAYS_TO_START)('of sandboxes that are $start', ({ fork, creations }) => {
  let server: RunningServer;
  beforeAll(async () => {
    const env = {
      CODEBEAKER_RUNTIMES: 'Python,Bun',
      CODEBEAKER_FORK: fork,
      CODEBEAKER_POOL_SIZE: '1',
      CODEBEAKER_MAX_SESSIONS: '20',
    };
    server = await startServer({ env });
  });
  afterAll(() => server.stop());

  const title = `${creations} creations that are given up at random instants leave nothing`;
  test(title, { timeout: 120_000 + creations * 2000 }, async () => {
    const trace = mark();
    const place = { server, environment: trace.environment };
    const client = await RpcClient.connect(server.wsUrl);
    // Everything that is made once has been made, for both languages and in every way.
    for (const language of ['python', 'javascript'])
      for (const way of Object.values(WAYS)) await way(client, { ...place, language });
    await sleep(3000);
    const before = holdings(server);
    expect(before.mounts).toBeGreaterThan(0);
    let left = creations;
    const one = async () => {
      while (left-- > 0)
        await pick(Object.values(WAYS))(client, {
          ...place,
          language: pick(['python', 'python', 'javascript']),
        });
    };
    await Promise.all(Array.from({ length: CLIENTS }, one));
    expect(await vanishes(trace.processes, QUIET_MS)).toEqual([]);
    const more = () =>
      Object.entries(holdings(server)).flatMap(([what, now]) => {
        const then = before[what as keyof typeof before];
        // A connection of this test's own, or a thread's descriptor, may come or go.
        return now > then + (what === 'descriptors' ? 4 : 0) ? [`${what}: ${then} before, ${now} after`] : [];
      });
    expect(await vanishes(more, QUIET_MS)).toEqual([]);
    // What was given up may still be entered as ended after its processes are gone.
    await expect
      .poll(async () => (await http(`${server.url}/health`)).body, { timeout: QUIET_MS })
      .toMatchObject({ status: 'healthy', sessions: 0, running: 0, queued: 0 });
    // Every place is there again.
    const made = await Promise.all(
      Array.from({ length: 20 }, () => client.call('session.create', { language: 'python' })),
    );
    for (const { sessionId } of made) await client.call('session.close', { sessionId });
    await client.close();
    expect(server.log()).not.toMatch(/nobody awaited|"level":50/);
  });
});
