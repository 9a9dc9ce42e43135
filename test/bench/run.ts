import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { http } from '../support/rest-client.ts';
import { ALL_BUT_GO, startServer } from '../support/start-server.ts';
import { batches } from './batches.ts';
import { debugging, debuggingCompiled } from './debugging.ts';
import { containers } from './docker.ts';
import { features } from './features.ts';
import { healthUnderLoad, printing } from './latency.ts';
import { hundredThousandLines } from './lines.ts';
import type { Figure } from './measure.ts';
import { emptySandboxes, idleMemory, idleServer } from './memory.ts';
import { notices } from './notices.ts';
import { oneShots } from './one-shots.ts';
import { packages } from './packages.ts';
import { ports } from './ports.ts';
import { machine, table } from './report.ts';
import { selection } from './selection.ts';
import { commands, creating, typedCommands } from './sessions.ts';
import { throughput } from './throughput.ts';
import { transfers } from './transfers.ts';
import { walls } from './walls.ts';
import { within } from './within.ts';

/**
 * Measures the service as its clients see it, in one run, against bare processes and the engine's own client, and writes
 * RESULTS.md when nothing is missing. `--quick`: fewer rounds, and nothing is written. `--only NAME`: one group. With the path of a
 * go-judge in CODEBEAKER_BENCH_GO_JUDGE, beside that too. A group that fails or takes too long is told; the others go on.
 */
const GROUPS = {
  oneShots,
  hundredThousandLines,
  throughput,
  creating,
  commands,
  typedCommands,
  batches,
  printing,
  healthUnderLoad,
  notices,
  features,
  transfers,
  packages,
  ports,
  containers,
  walls,
  selection,
  idleMemory,
  emptySandboxes,
  idleServer,
  debugging,
  debuggingCompiled,
} as const;

/** For one group, and for all; a group takes a minute or two, all of them twenty. */
const GROUP_MS = 600_000;
const ALL_MS = 2_400_000;
const END_MS = 20_000;
const MAX_REASON = 200;

const quick = process.argv.includes('--quick');
const only = process.argv.includes('--only')
  ? process.argv.at(process.argv.indexOf('--only') + 1)
  : undefined;
if (only && !(only in GROUPS)) {
  console.error(`There is no group ${only}; there are ${Object.keys(GROUPS).join(', ')}.`);
  process.exit(2);
}

const env = { LOG_LEVEL: 'warn', CODEBEAKER_RUNTIMES: ALL_BUT_GO, CODEBEAKER_MAX_MEMORY_MB: '8192' };
const begunAt = Date.now();
const say = (what: string) => process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${what}` : `${what}\n`);
const figures: Figure[] = [];
const missing: string[] = [];
const left = () => begunAt + ALL_MS - Date.now();
let servers = await start();
const languages = (await http(`${servers.server.url}/api/language`)).body;
const available = await availableRuntimes();
if (available.size === 0) {
  await end();
  console.error('No runtime is available, so that there is nothing to measure: codebeaker doctor says why.');
  process.exit(1);
}
let lost = (_: Error) => {};
// What a group left going fails by itself, as the rest of it does.
process.on('uncaughtException', error => lost(error));

for (const [name, measure] of Object.entries(GROUPS)) {
  if (only && only !== name) continue;
  if (left() <= 0) {
    missing.push(`${name} (no time was left)`);
    continue;
  }
  const startedAt = Date.now();
  try {
    figures.push(...(await bounded(measure({ ...servers, available, quick, say }))));
    say(`${name}: ${Math.round((Date.now() - startedAt) / 1000)} s`);
  } catch (error) {
    const [reason = ''] = String(error instanceof Error ? error.message : error).split('\n');
    missing.push(`${name} (${reason.slice(0, MAX_REASON)})`);
    say(`${name} failed: ${error instanceof Error ? error.stack : error}`);
    await renew();
  }
}
await end();
say('\n');
const facts = machine(languages);
console.log(table(figures));
if (missing.length > 0) console.log(`\nMissing: ${missing.join(', ')}`);
console.log(JSON.stringify({ ...facts, missing, figures }));
if (!quick && !only && missing.length === 0) writeResults();
process.exit(missing.length > 0 ? 1 : 0);

async function start() {
  const server = await startServer({ env, leads: true });
  return { server, cold: await startServer({ env: { ...env, CODEBEAKER_POOL_SIZE: '0' }, leads: true }) };
}

/** What a group left behind would disturb the next, and what still goes on of it ends for want of its servers. */
async function renew(): Promise<void> {
  await end();
  try {
    if (left() > 0) servers = await start();
  } catch (error) {
    say(`the servers did not start again: ${error}`);
  }
}

/** Also of what hangs. */
async function end(): Promise<void> {
  const ending = Object.values(servers).map(server =>
    within(END_MS, server.stop()).catch(() => server.kill9()),
  );
  await Promise.all(ending);
}

async function availableRuntimes(): Promise<ReadonlySet<string>> {
  const { runtimes } = (await http(`${servers.server.url}/health`)).body as {
    runtimes: Record<string, { available: boolean }>;
  };
  return new Set(Object.keys(runtimes).filter(name => runtimes[name]!.available));
}

/** @throws when a group fails, takes longer than one may, or the whole has taken what it may */
function bounded(group: Promise<Figure[]>): Promise<Figure[]> {
  const failed = new Promise<never>((_, reject) => (lost = reject));
  return within(Math.min(GROUP_MS, left()), Promise.race([group, failed]));
}

function writeResults(): void {
  const { date, cpu, memory, kernel, node, versions } = facts;
  const text = `# Results

Written by \`npm run bench\`; never typed. ${date.slice(0, 10)}, ${cpu}, ${memory}, ${kernel}, service on Node.js ${node}.
${versions.join(', ')}.

${table(figures)}

<details><summary>JSON</summary>

\`\`\`json
${JSON.stringify({ ...facts, figures }, null, 1)}
\`\`\`

</details>
`;
  writeFileSync(join(import.meta.dirname, 'RESULTS.md'), text);
}
