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
import { idleMemory, idleServer } from './memory.ts';
import { notices } from './notices.ts';
import { oneShots } from './one-shots.ts';
import { machine, table } from './report.ts';
import { selection } from './selection.ts';
import { commands, creating, typedCommands } from './sessions.ts';
import type { Setting } from './setting.ts';
import { throughput } from './throughput.ts';
import { transfers } from './transfers.ts';
import { walls } from './walls.ts';

/**
 * Measures the service as its clients see it, in one run, against bare processes and the engine's own client, and writes
 * RESULTS.md. `--quick`: fewer rounds, and nothing is written. `--only NAME`: one group. With the path of a go-judge in
 * CODEBEAKER_BENCH_GO_JUDGE, beside that too.
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
  containers,
  debugging,
  debuggingCompiled,
  walls,
  selection,
  idleMemory,
  idleServer,
} as const;

const quick = process.argv.includes('--quick');
const only = process.argv.includes('--only')
  ? process.argv.at(process.argv.indexOf('--only') + 1)
  : undefined;
if (only && !(only in GROUPS)) {
  console.error(`There is no group ${only}; there are ${Object.keys(GROUPS).join(', ')}.`);
  process.exit(2);
}

const env = { LOG_LEVEL: 'warn', CODEBEAKER_RUNTIMES: ALL_BUT_GO, CODEBEAKER_MAX_MEMORY_MB: '8192' };
const server = await startServer({ env });
const cold = await startServer({ env: { ...env, CODEBEAKER_POOL_SIZE: '0' } });
try {
  const languages = (await http(`${server.url}/api/language`)).body;
  const { runtimes } = (await http(`${server.url}/health`)).body as {
    runtimes: Record<string, { available: boolean }>;
  };
  const available = new Set(Object.keys(runtimes).filter(name => runtimes[name]!.available));
  const say = (what: string) => process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${what}` : `${what}\n`);
  const setting: Setting = { server, cold, available, quick, say };
  const figures: Figure[] = [];
  for (const [name, measure] of Object.entries(GROUPS)) {
    if (!only || only === name) figures.push(...(await measure(setting)));
  }
  say('\n');
  const facts = machine(languages);
  console.log(table(figures));
  console.log(JSON.stringify({ ...facts, figures }));
  if (!quick && !only) writeResults(facts, figures);
} finally {
  await server.stop();
  await cold.stop();
}

function writeResults(facts: ReturnType<typeof machine>, figures: readonly Figure[]): void {
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
