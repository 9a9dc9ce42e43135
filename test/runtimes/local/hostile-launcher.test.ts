import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LauncherClient } from '../../../src/runtimes/local/launcher-client.ts';

/** The client against a launcher that says what no launcher says: a program of that name stands first in the PATH. */
const { PATH } = process.env;
let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'codebeaker-launcher-'));
  process.env.PATH = `${directory}${delimiter}${PATH}`;
});
afterEach(() => {
  process.env.PATH = PATH;
  rmSync(directory, { recursive: true });
});

const GROUPS = '{"version":2,"memory":"/g","pids":"/g","cpu":"/g","cpuacct":"/g"}';
const READY = `{"event":"ready","forks":false,"groups":${GROUPS}}`;
/** Comes up, waits for the first order and answers it with a line. */
async function launcherThatSays(line: string): Promise<LauncherClient> {
  writeFileSync(
    join(directory, 'unshare'),
    `#!/bin/sh\necho '${READY}'\nread s\nread o\n${line}\nexec sleep 60\n`,
  );
  chmodSync(join(directory, 'unshare'), 0o755);
  return LauncherClient.start(
    { bun: 'none', python: false, programs: [], trees: [] },
    { instance: 'hostile', fork: false, library: '/nowhere', packages: null },
  );
}

test.for([
  ['what is no JSON', 'echo oops'],
  ['half a message', `echo '{"event":'`],
  ['null', 'echo null'],
  ['a number', 'echo 7'],
  ['an event that there is not', `echo '{"event":"unheard-of","id":"a"}'`],
  ['that it is ready once more', `echo '${READY}'`],
  ['last words that are a number', `echo '{"event":"ended","id":"a","stderr":5}'`],
  ['that a leaf is no name', `echo '{"event":"placed","id":"a","leaf":5}'`],
  ['neither yes nor no', `echo '{"event":"limited","id":"a"}'`],
  ['a line without end', `head -c 2000000 /dev/zero | tr '\\0' x`],
] as const)('a launcher that says %s ends, its sandboxes are lost and nothing else is', async ([, line]) => {
  const launcher = await launcherThatSays(line);
  const limits = { diskBytes: 32 << 20, memoryBytes: 1, cpus: 1, processes: 1, openFiles: 1, inodes: 1 };
  await expect(
    launcher.launch('a', limits, { divided: false, home: false, network: null }),
  ).rejects.toMatchObject({
    name: 'SandboxLost',
    message: expect.stringMatching(/^the launcher broke its protocol: /),
  });
  await launcher.exited;
  expect(launcher.dead).toBe(true);
  await expect(launcher.launch('b', limits, { divided: false, home: false, network: null })).rejects.toThrow(
    'the launcher has ended',
  );
});
