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
  writeFileSync(join(directory, 'cgroup.subtree_control'), 'memory pids cpu');
});
afterEach(() => {
  process.env.PATH = PATH;
  rmSync(directory, { recursive: true });
});

const GROUPS = '{"version":2,"memory":"/g","pids":"/g","cpu":"/g","cpuacct":"/g"}';
const READY = `{"event":"ready","forks":false,"groups":${GROUPS}}`;
const LIMITS = { diskBytes: 32 << 20, memoryBytes: 1, cpus: 1, processes: 1, openFiles: 1, inodes: 1 };
const OPTIONS = { divided: false, home: false, network: null };

function start(program: string, fork: boolean): Promise<LauncherClient> {
  writeFileSync(join(directory, 'unshare'), program);
  chmodSync(join(directory, 'unshare'), 0o755);
  return LauncherClient.start(
    { bun: 'none', python: false, programs: [], trees: [] },
    { instance: 'hostile', fork, library: '/nowhere', packages: null },
  );
}

/** Comes up, waits for the first order and answers it with a line. */
const launcherThatSays = (line: string) =>
  start(`#!/bin/sh\necho '${READY}'\nread s\nread o\n${line}\nexec sleep 60\n`, false);

/** What a launcher that becomes a zygote and the zygote say, in Python. Its groups are a plain directory. */
const zygote = () => `#!/usr/bin/python3
import json, struct, sys, time
orders, words = sys.stdin.buffer, sys.stdout.buffer
def take(): return orders.read(struct.unpack('<I', orders.read(4))[0])
def say(kind, channel, payload=b''):
    words.write(struct.pack('<IBI', 5 + len(payload), kind, channel) + payload)
    words.flush()
ready = json.loads('${READY}')
ready['groups'] = {name: '${directory}' for name in ('memory', 'pids', 'cpu', 'cpuacct')} | {'version': 2}
ready['forks'] = json.loads(orders.readline())['fork']
words.write(json.dumps(ready).encode() + b'\\n')
words.flush()
`;

/** Comes up, lets a sandbox be tried, and answers the first order after that. */
const zygoteThatSays = (line: string) =>
  start(
    `${zygote()}
say(64, 0); take(); say(67, 1, b'the service is gone'); take(); say(69, 1, struct.pack('<I', 1))
take(); ${line}; words.flush(); time.sleep(60)
`,
    true,
  );

async function costsItsSandboxes(launcher: LauncherClient): Promise<void> {
  await expect(launcher.launch('a', LIMITS, OPTIONS)).rejects.toMatchObject({
    name: 'SandboxLost',
    message: expect.stringMatching(/^the launcher broke its protocol: /),
  });
  await launcher.exited;
  expect(launcher.dead).toBe(true);
  await expect(launcher.launch('b', LIMITS, OPTIONS)).rejects.toThrow('the launcher has ended');
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
] as const)('a launcher that says %s ends, its sandboxes are lost and nothing else is', async ([, line]) =>
  costsItsSandboxes(await launcherThatSays(line)),
);

test.for([
  ['of a kind that there is not', 'say(99, 2)'],
  ['of an impossible length', `words.write(b'\\xff' * 9)`],
  ['with a number of two bytes', `say(65, 2, b'12')`],
] as const)('a zygote with a message %s ends likewise', async ([, line]) =>
  costsItsSandboxes(await zygoteThatSays(line)),
);

test('a zygote that ends before it makes a sandbox is followed by a launcher without one', async () => {
  const launcher = await start(`${zygote()}if not ready['forks']: orders.read()\n`, true);
  expect(launcher).toMatchObject({ forks: false, dead: false });
  await launcher.close();
});
