import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { agentArguments } from '../../src/agent/artifact.ts';
import { assembleFilter } from '../../src/seccomp/filter.ts';
import { agentFile } from './builds.ts';

const directory = mkdtempSync(join(tmpdir(), 'codebeaker-filter-'));
afterAll(() => rmSync(directory, { recursive: true }));
const filter = assembleFilter(process.arch as 'x64' | 'arm64');
const argv = (name: string) => [...agentArguments({ filter: join(directory, name) }), '--root', directory];

test('an agent with a filter is behind it, for good, when it says that it takes orders', async () => {
  writeFileSync(join(directory, 'filter'), filter);
  const agent = spawn(agentFile('shipped'), argv('filter'), { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(agent.stdout, 'data');
  const status = readFileSync(`/proc/${agent.pid}/status`, 'utf8');
  expect(/^Seccomp:\t(\d)$/m.exec(status)?.[1]).toBe('2');
  expect(/^NoNewPrivs:\t(\d)$/m.exec(status)?.[1]).toBe('1');
  agent.stdin.end();
  await once(agent, 'close');
});

test.for([
  ['is not there', undefined, /reading \S+ failed \(errno 2\)/],
  ['is none', 'x'.repeat(64), /PR_SET_SECCOMP failed \(errno 22\)/],
  ['is empty', '', /PR_SET_SECCOMP failed \(errno 22\)/],
  ['has more behind it', Buffer.concat([filter, Buffer.alloc(3)]), /a filter of \d+ bytes/],
  ['begins again', Buffer.concat([Buffer.alloc(65_536 * 8), filter]), /a filter of \d+ bytes/],
] as const)('one whose filter %s takes none', ([, content, words]) => {
  const name = `filter-${content?.length}`;
  if (content !== undefined) writeFileSync(join(directory, name), content);
  const { stdout, stderr, status } = spawnSync(agentFile('shipped'), argv(name), {
    input: '',
    encoding: 'utf8',
  });
  expect({ stdout, stderr, status }).toEqual({ stdout: '', stderr: expect.stringMatching(words), status: 1 });
});
