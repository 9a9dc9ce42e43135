import { existsSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ProcessEvent } from '../../src/sandbox.ts';
import { AgentProcess, collect, sleep, until } from './agent-process.ts';

/** Descriptor 3 and the standard inputs that a kernel gets one after the other. */
let agent: AgentProcess;
beforeAll(async () => {
  agent = await AgentProcess.start();
});
afterAll(() => agent[Symbol.asyncDispose]());

const python = (script: string) => agent.start(['python3', '-c', script], { control: true });

/** A kernel that opens what it is told to as standard input, and says how much it read. */
const READER = `
import os, socket
control = socket.socket(fileno=3)
for path in iter(lambda: control.recv(1000).decode(), ''):
    os.close(0); os.open(path, os.O_RDONLY)
    if path != '/dev/null': os.unlink(path)
    total = 0
    while (part := os.read(0, 65536)): total += len(part)
    control.send(b'%d\\n' % total)`;

const text = (event: IteratorResult<ProcessEvent>) =>
  Buffer.from((event.value as { data: Uint8Array }).data).toString();

test('control reaches the program and comes back, whole in both directions', async () => {
  const script = `
import socket
control = socket.socket(fileno=3)
got = b''
while len(got) < 3000000: got += control.recv(1 << 20)
control.sendall(got[::-1])`;
  const kernel = await python(script);
  const sent = Buffer.alloc(3_000_000, Buffer.from(Array.from({ length: 251 }, (_, i) => i)));
  kernel.sendControl(sent);
  const { control } = await collect(kernel);
  expect(control.equals(Buffer.from(sent).reverse())).toBe(true);
});

test('output written before a control message comes before it', async () => {
  const script = `
import os, socket
control = socket.socket(fileno=3)
for i in range(200):
    for fd in (1, 2):
        data = bytes([i]) * (i * 700 + 1)
        while data: data = data[os.write(fd, data):]
    control.sendall(bytes([i]))`;
  const kernel = await python(script);
  const had = { stdout: 0, stderr: 0 };
  let due = 0;
  let seen = 0;
  for await (const event of kernel.events) {
    if (event.type === 'output') had[event.stream] += event.data.byteLength;
    if (event.type !== 'control') continue;
    for (const i of event.data) {
      expect(i).toBe(seen++);
      due += i * 700 + 1;
      expect([had.stdout >= due, had.stderr >= due], `message ${i}`).toEqual([true, true]);
    }
  }
  expect([seen, had.stdout, had.stderr]).toEqual([200, due, due]);
});

test('what a kernel said last comes before its exit', async () => {
  for (let i = 0; i < 30; i++) {
    const kernel = await agent.start(['sh', '-c', 'echo out; echo last >&3; exit 5'], { control: true });
    const kinds: string[] = [];
    for await (const event of kernel.events) kinds.push(event.type);
    expect(kinds).toEqual(['output', 'control', 'exit']);
  }
});

test('a kernel that floods its control socket waits, and nothing grows', async () => {
  const kernel = await python(`import os\nwhile True: os.write(3, b'x' * 65536)`);
  await sleep(300);
  const before = agent.residentBytes;
  await sleep(300);
  expect(agent.residentBytes - before).toBeLessThan(4 << 20);
  kernel.kill();
  expect((await collect(kernel)).control.byteLength).toBeLessThanOrEqual(1 << 20);
});

test('a kernel may close its control socket, and runs on', async () => {
  const kernel = await agent.start(['sh', '-c', 'exec 3>&-; sleep 0.2; echo done'], { control: true });
  await sleep(100);
  kernel.sendControl(Buffer.from('nobody hears this'));
  expect((await collect(kernel)).stdout.toString()).toBe('done\n');
});

test('a kernel gets a fresh standard input for every cell, exact and with its end', async () => {
  const kernel = await python(READER);
  const events = kernel.events[Symbol.asyncIterator]();
  for (const size of [0, 5, 100_000, 1_000_000]) {
    const path = await kernel.openInput();
    expect(existsSync(path)).toBe(true);
    if (size) void kernel.write(new Uint8Array(size));
    kernel.endInput();
    kernel.sendControl(Buffer.from(path));
    expect(text(await events.next())).toBe(`${size}\n`);
    expect(existsSync(path)).toBe(false);
  }
  kernel.kill();
});

test('what one cell did not read reaches no other, and holds none up', async () => {
  const kernel = await python(READER);
  const events = kernel.events[Symbol.asyncIterator]();
  const unread = await kernel.openInput();
  let written = false;
  void kernel.write(new Uint8Array(5_000_000)).then(() => (written = true));
  kernel.endInput();
  await sleep(100);
  expect(written).toBe(false);
  const path = await kernel.openInput();
  await until('the old input is given up', () => written);
  expect(existsSync(unread)).toBe(false);
  void kernel.write(Buffer.from('new'));
  kernel.endInput();
  kernel.sendControl(Buffer.from(path));
  expect(text(await events.next())).toBe('3\n');
  // Input for the new cell may be on its way while the old one is being replaced.
  for (let i = 0; i < 20; i++) {
    const opening = kernel.openInput();
    void kernel.write(new Uint8Array(200_000));
    kernel.endInput();
    kernel.sendControl(Buffer.from(await opening));
    expect(text(await events.next())).toBe('200000\n');
  }
  kernel.kill();
});

test('a kernel that has ended gets no input and keeps nobody waiting', async () => {
  const kernel = await agent.start(['true'], { control: true });
  const opening = kernel.openInput();
  await collect(kernel);
  expect(await opening).toMatch(/^\/dev\/null$|^\/tmp\//);
  expect(await kernel.openInput()).toBe('/dev/null');
  await kernel.write(new Uint8Array(1_000_000));
  kernel.endInput();
  kernel.sendControl(Buffer.from('x'));
  kernel.kill();
});

test('a kernel that waits for its next cell does not wake the agent', async () => {
  const kernel = await python(READER);
  const wakes = async () => {
    const before = agent.sleeps;
    await sleep(1000);
    return agent.sleeps - before;
  };
  // Once the last order is some seconds old; see PARKED_MS in agent.c.
  await expect.poll(wakes, { timeout: 60_000 }).toBeLessThanOrEqual(1);
  kernel.kill();
});
