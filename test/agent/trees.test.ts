import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Process } from '../../src/sandbox.ts';
import { AgentProcess, collect, sleep, until } from './agent-process.ts';

/** What `kill` reaches: a whole tree, however it was built, and nothing else. */
let agent: AgentProcess;
beforeAll(async () => {
  agent = await AgentProcess.start();
});
afterAll(() => agent[Symbol.asyncDispose]());

/** Living processes whose command line holds a word, zombies not counted. */
function living(word: string): number {
  return readdirSync('/proc').filter(pid => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const state = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.[0];
      return state !== 'Z' && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(word);
    } catch {
      return false;
    }
  }).length;
}

/** Children of the agent that have ended and that it has not collected. */
function zombies(): number {
  return readdirSync('/proc').filter(pid => {
    try {
      const [, parent] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') Z ');
      return Number(parent?.split(' ')[0]) === agent.pid;
    } catch {
      return false;
    }
  }).length;
}

let count = 0;
/** A number for sleep(1) by which its processes are found. */
const mark = () => `8${process.pid}${++count}`;

async function killed(process: Process, word: string): Promise<void> {
  process.kill();
  const { exit } = await collect(process);
  expect(exit.signal).toBe('SIGKILL');
  await until(`nothing of ${word} lives`, () => living(word) === 0);
}

test.each([
  ['children and their children', (n: string) => `sleep ${n} & sh -c "sleep ${n} & sleep ${n}"; true`],
  ['what called setsid', (n: string) => `setsid sleep ${n} & setsid -f sleep ${n}; sleep ${n}`],
  ['a daemon that forked twice', (n: string) => `(setsid sh -c "(sleep ${n} &) ; true" &) ; sleep ${n}`],
  ['what is stopped', (n: string) => `sleep ${n} & kill -STOP $!; kill -STOP $$; sleep ${n}`],
  ['what ignores signals', (n: string) => `trap "" TERM INT HUP QUIT; sleep ${n} & sleep ${n}; sleep ${n}`],
])('a kill ends %s', async (_, script) => {
  const word = mark();
  const process = await agent.start(['sh', '-c', script(word)]);
  await until('it has begun', () => living(word) >= 2);
  await sleep(50);
  await killed(process, word);
});

test('a kill catches up with a program that forks all the time', async () => {
  const word = mark();
  const script = `
import os, time
for _ in range(40):
    if os.fork() == 0:
        while True:
            if os.fork() == 0: time.sleep(0.001); os._exit(0)
            os.wait()
time.sleep(60)`;
  const process = await agent.start(['python3', '-c', script, word]);
  await until('it has begun', () => living(word) > 10);
  await killed(process, word);
  await until('no zombie is left', () => zombies() === 0);
});

test('a kill spares other programs and their children', async () => {
  const [mine, others] = [mark(), mark()];
  const other = await agent.start(['sh', '-c', `sleep ${others} & sleep ${others}; true`]);
  const process = await agent.start(['sh', '-c', `sleep ${mine} & sleep ${mine}; true`]);
  await until('both have begun', () => living(mine) === 3 && living(others) === 3);
  await killed(process, mine);
  expect(living(others)).toBe(3);
  await killed(other, others);
});

test('a kill that keeps the root ends what came since the last order, and the root goes on', async () => {
  const [earlier, later] = [mark(), mark()];
  const script = `
import socket, subprocess
control = socket.socket(fileno=3)
for order in iter(lambda: control.recv(100).decode(), ''):
    subprocess.Popen(['setsid', 'sleep', order]); control.send(b'started')`;
  const kernel = await agent.start(['python3', '-c', script], { control: true });
  const events = kernel.events[Symbol.asyncIterator]();
  const order = async (text: string) => {
    kernel.sendControl(Buffer.from(text));
    expect(Buffer.from(((await events.next()).value as { data: Uint8Array }).data).toString()).toBe(
      'started',
    );
  };
  await order(earlier);
  await sleep(50);
  await order(later);
  await until('both have begun', () => living(earlier) + living(later) >= 2);
  kernel.kill({ keepRoot: true });
  await until('the later one is gone', () => living(later) === 0);
  expect(living(earlier)).toBe(1);
  await order(later);
  kernel.kill();
  while ((await events.next()).value?.type !== 'exit');
  await until('nothing is left', () => living(earlier) + living(later) === 0);
});

test('a kill after the end reaches what the program left behind', async () => {
  const word = mark();
  const process = await agent.start(['sh', '-c', `setsid -f sleep ${word} >/dev/null 2>&1 </dev/null`]);
  expect((await collect(process)).exit.code).toBe(0);
  await until('the daemon has begun', () => living(word) === 1);
  process.kill();
  await until('the daemon is gone', () => living(word) === 0);
});

test('orphans are collected', async () => {
  await agent.shell('for i in 1 2 3 4 5 6 7 8; do (setsid sleep 0.05 &) ; done');
  const left = async () => {
    // With nothing to do it sleeps until it is spoken to.
    await agent.run(['true']);
    return zombies();
  };
  await expect.poll(left, { timeout: 60_000 }).toBe(0);
});

test('with the stream ends everything', async () => {
  const word = mark();
  const own = await AgentProcess.start();
  await own.start(['sh', '-c', `setsid sleep ${word} & setsid -f sleep ${word}; sleep ${word}`]);
  await until('it has begun', () => living(word) >= 3);
  own.client.destroy();
  await own.ended();
  await until('nothing is left', () => living(word) === 0);
  await own[Symbol.asyncDispose]();
});
