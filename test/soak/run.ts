import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { deadMemoryGroups } from '../support/memory-groups.ts';
import { http } from '../support/rest-client.ts';
import { ALL_BUT_GO, type RunningServer, startServer } from '../support/start-server.ts';
import { familyOf, remains, vanishes } from '../support/traces.ts';
import { DEEDS, type Deed, type Place } from './deeds.ts';

/**
 * Good and evil runs, mixed at random, against one server for a while: `npm run soak -- --minutes 10`. Watches what a
 * leak would show in and ends with exit code 1 when there is one: the server's memory and descriptors, and the processes,
 * control groups, dead ones too, and containers of its sandboxes.
 */

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, clients: { type: 'string', default: '4' } },
});
const SOAK_MS = Number(values.minutes) * 60_000;
const CLIENTS = Number(values.clients);
const SAMPLE_MS = 10_000;
/** Until the server counts as warm: what grows from then on is a leak. */
const WARM_SHARE = 0.3;
/** Until its warm sandboxes are few again, and what a client that went away had is over. */
const QUIET_MS = 30_000;
/** No more than these are needed to see that something is wrong. */
const MANY = 20;
/** What may be more at the end than when it was warm. */
const ALLOWED = { memoryMB: 60, descriptors: 12, processes: 12, groups: 8, deadGroups: 64, containers: 4 };

interface Sample {
  readonly memoryMB: number;
  readonly descriptors: number;
  readonly processes: number;
  readonly groups: number;
  /** Of the whole machine. */
  readonly deadGroups: number;
  readonly containers: number;
}

/** Pools of one size, so that what is there before and after can be told apart from what adapts. */
const server = await startServer({
  env: { CODEBEAKER_RUNTIMES: ALL_BUT_GO, CODEBEAKER_MAX_SESSIONS: '50', CODEBEAKER_POOL_SIZE: '1' },
});
const done: Record<string, number> = {};
const problems: string[] = [];
try {
  const place = await placeOf(server);
  console.log(`${values.minutes} minutes on ${place.cells.map(({ name }) => name).join(', ')}`);
  for (const cell of place.cells)
    for (const [name, deed] of DEEDS) await attempt(name, deed, { ...place, cells: [cell] });
  await settle();
  const before = sample(server);
  print('before', before);
  const samples: Sample[] = [];
  const until = Date.now() + SOAK_MS;
  const watch = setInterval(() => {
    samples.push(sample(server));
    const runs = Object.values(done).reduce((sum, count) => sum + count, 0);
    const left = Math.ceil((until - Date.now()) / 1000);
    print(`${runs} deeds, ${left} s left`, samples.at(-1)!);
  }, SAMPLE_MS);
  await Promise.all(Array.from({ length: CLIENTS }, () => client(place, until)));
  clearInterval(watch);
  await settle();
  const after = sample(server);
  print('after', after);
  compare(before, after, samples);
  const health = (await http(`${server.url}/health`)).body;
  if (health.status !== 'healthy') problems.push(`health: ${JSON.stringify(health)}`);
} finally {
  const family = familyOf(server.pid);
  await server.stop();
  const left = await vanishes(() => remains(family));
  if (left.length > 0) problems.push(`left behind: ${left.join(', ')}`);
}
console.log(JSON.stringify({ minutes: Number(values.minutes), deeds: done, problems }));
for (const problem of problems) console.error(problem);
process.exit(problems.length > 0 ? 1 : 0);

async function client(place: Place, until: number): Promise<void> {
  while (Date.now() < until) {
    const [name, deed] = DEEDS[Math.floor(Math.random() * DEEDS.length)]!;
    await attempt(name, deed, place);
    if (problems.length > MANY) return;
  }
}

async function attempt(name: string, deed: Deed, place: Place): Promise<void> {
  try {
    await deed(place);
  } catch (error) {
    problems.push(`${name}: ${error instanceof Error ? error.message : error}`);
  }
  done[name] = (done[name] ?? 0) + 1;
}

/** Levels at the end are those of before; memory may have grown while it became warm, and no more after that. */
function compare(before: Sample, after: Sample, samples: readonly Sample[]): void {
  for (const what of ['descriptors', 'processes', 'groups', 'deadGroups', 'containers'] as const) {
    if (after[what] > before[what] + ALLOWED[what])
      problems.push(`${what}: ${before[what]} before, ${after[what]} after`);
  }
  const warm = samples.slice(Math.floor(samples.length * WARM_SHARE));
  const half = Math.floor(warm.length / 2);
  const [early, late] = [middle(warm.slice(0, half)), middle(warm.slice(half))];
  if (late > early + ALLOWED.memoryMB)
    problems.push(`memory: ${early} MB in the first half, ${late} MB in the second`);
}

function middle(samples: readonly Sample[]): number {
  return samples.map(({ memoryMB }) => memoryMB).sort((a, b) => a - b)[samples.length >> 1] ?? 0;
}

function sample({ pid }: RunningServer): Sample {
  const family = familyOf(pid);
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return {
    memoryMB: Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024),
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    processes: family.processes.length,
    groups: family.cgroups.length,
    deadGroups: deadMemoryGroups(),
    containers: containers(family.cgroups),
  };
}

/** Of this server, whose control groups have its name; other servers of the machine have theirs. */
function containers(groups: readonly string[]): number {
  const instance = groups.map(path => /\/codebeaker-([0-9a-f]+)(?:\/|$)/.exec(path)?.[1]).find(Boolean);
  try {
    const args = ['ps', '--all', '--quiet', '--filter', `label=codebeaker.instance=${instance}`];
    return String(execFileSync('docker', args, { stdio: 'pipe' }))
      .split('\n')
      .filter(Boolean).length;
  } catch {
    return 0;
  }
}

async function placeOf({ url, wsUrl }: RunningServer): Promise<Place> {
  const languages = (await http(`${url}/api/language`)).body as {
    name: string;
    runtimes: { runtimeType: string; available: boolean }[];
  }[];
  const cells = languages.flatMap(({ name, runtimes }) =>
    runtimes
      .filter(({ available }) => available)
      .map(({ runtimeType }) => ({ language: name, runtimeType, name: `${name} on ${runtimeType}` })),
  );
  return { url, wsUrl, cells: cells.filter(({ language }) => ['python', 'javascript'].includes(language)) };
}

function settle(): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, QUIET_MS));
}

function print(what: string, sampled: Sample): void {
  console.log(
    `${what}: ${Object.entries(sampled)
      .map(([name, value]) => `${name} ${value}`)
      .join(', ')}`,
  );
}
