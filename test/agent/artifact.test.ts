import { execFileSync } from 'node:child_process';
import { appendFileSync, chmodSync, cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';

const directory = mkdtempSync(join(tmpdir(), 'codebeaker-artifact-'));
afterAll(() => rmSync(directory, { recursive: true }));
const at = (path: string) => join(directory, path);

test('an agent that was compiled from other sources is not started, and the cure is told', async () => {
  const isSource = (path: string) => !path.endsWith('/build');
  cpSync('src/agent', at('src/agent'), { recursive: true, filter: isSource });
  cpSync('src/sandbox.ts', at('src/sandbox.ts'));
  // What matters is what is compiled, and not by what.
  writeFileSync(at('compiler'), '#!/bin/sh\nwhile [ "$1" != -o ]; do shift; done\ntouch "$2"\n');
  chmodSync(at('compiler'), 0o755);
  const compile = () => {
    const env = { ...process.env, CC: at('compiler') };
    execFileSync('sh', [at('src/agent/build.sh'), at('src/agent/build/agent')], { env });
  };
  const { agentMissing } = (await import(at('src/agent/artifact.ts'))) as {
    agentMissing: () => { reason: string; cure: string } | null;
  };
  expect(agentMissing()).toMatchObject({ reason: expect.stringMatching(/not been compiled/) });
  compile();
  expect(agentMissing()).toBeNull();
  appendFileSync(at('src/agent/main.c'), '/* changed */\n');
  expect(agentMissing()).toEqual({
    reason: 'the agent was compiled from other sources',
    cure: 'npm run setup',
  });
  compile();
  expect(agentMissing()).toBeNull();
});
