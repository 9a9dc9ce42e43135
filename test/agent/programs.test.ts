import { existsSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AgentProcess, collect, ENV, sleep, until } from './agent-process.ts';

/** Programs as the agent runs them: what they are given, what they say and in which order. */
let agent: AgentProcess;
beforeAll(async () => {
  agent = await AgentProcess.start();
});
afterAll(() => agent[Symbol.asyncDispose]());

const sha = (bytes: Uint8Array) => crypto.subtle.digest('SHA-256', new Uint8Array(bytes));

test.each([65_536, 131_072, 160_000, 304_487, 1_000_000])('output of %i bytes is complete', async size => {
  const script = `import os\nb = bytes(i * 7 % 251 for i in range(${size}))\nwhile b: b = b[os.write(1, b):]`;
  const { stdout, exit } = await agent.run(['python3', '-c', script]);
  const whole = Buffer.from(Array.from({ length: size }, (_, i) => (i * 7) % 251));
  expect(stdout.equals(whole)).toBe(true);
  expect(exit).toEqual({ type: 'exit', code: 0, signal: null });
});

test('a megabyte on stderr, then a megabyte on stdout, does not deadlock', async () => {
  const { stdout, stderr } = await agent.shell('head -c 1000000 /dev/zero >&2; head -c 1000000 /dev/zero');
  expect([stdout.byteLength, stderr.byteLength]).toEqual([1_000_000, 1_000_000]);
});

test('a hundred megabytes pass through unchanged, and the agent does not grow', async () => {
  await agent.run(['true']);
  const before = agent.residentBytes;
  const { stdout } = await agent.shell('head -c 100000000 /dev/zero | tr "\\0" x');
  expect(stdout.byteLength).toBe(100_000_000);
  expect(stdout.every(byte => byte === 0x78)).toBe(true);
  expect(agent.residentBytes - before).toBeLessThan(64 << 20);
});

test('arguments arrive as they are', async () => {
  const args = ['a b', '"q"', "'", '$(id)', '`id`', '', '\\', '*', 'é漢😀', '-n', 'line\nbreak', ''];
  const script = 'import sys, json; print(json.dumps(sys.argv[1:]))';
  const { stdout } = await agent.run(['python3', '-c', script, ...args]);
  expect(JSON.parse(stdout.toString())).toEqual(args);
});

test('standard input arrives exactly and ends', async () => {
  const input = crypto.getRandomValues(new Uint8Array(65_536));
  const large = Buffer.concat(Array.from({ length: 40 }, () => input));
  const { stdout } = await agent.run(['cat'], large);
  expect(await sha(stdout)).toEqual(await sha(large));
  expect((await agent.run(['cat'], '')).stdout.byteLength).toBe(0);
  expect((await agent.run(['cat'])).stdout.byteLength).toBe(0);
});

test('input that nobody reads holds nothing up', async () => {
  const large = new Uint8Array(5_000_000);
  expect((await agent.run(['true'], large)).exit.code).toBe(0);
  expect((await agent.run(['head', '-c', '3'], large)).stdout.byteLength).toBe(3);
  const closes = 'exec 0<&-; sleep 0.1; echo done';
  expect((await agent.run(['sh', '-c', closes], large)).stdout.toString()).toBe('done\n');
});

test('input waits for the program to read it, and not in memory', async () => {
  const process = await agent.start(['sleep', '60'], { stdin: 'pipe' });
  let written = 0;
  const writing = (async () => {
    for (; written < 20; written++) await process.write(new Uint8Array(100_000));
  })();
  await sleep(200);
  expect(written).toBeLessThan(6);
  process.kill();
  await collect(process);
  await writing;
});

test('nothing is inherited but what is given', async () => {
  const script = `
import os, signal
print(sorted(os.environ)); print(sorted(int(f) for f in os.listdir('/proc/self/fd'))[:-1])
print(os.getsid(0) == os.getpid(), os.getcwd())
print([l for l in open('/proc/self/status').read().split('\\n') if l[:3] == 'Sig' and l[3:6] in ('Blk', 'Ign')])`;
  const env = { PATH: ENV.PATH, A: 'b=c\n' };
  const { stdout } = await agent.run(['python3', '-I', '-c', script], undefined, { env });
  const [names, fds, where] = stdout.toString().split('\n');
  expect(names).toBe("['A', 'LC_CTYPE', 'PATH']");
  expect(fds).toBe('[0, 1, 2]');
  expect(where).toBe(`True ${agent.root}`);
  // Python itself ignores SIGPIPE and SIGXFSZ.
  expect(stdout.toString()).toMatch(/SigBlk:\\t0000000000000000.*SigIgn:\\t0000000001001000/);
  const shell = await agent.shell('grep SigIgn /proc/self/status');
  expect(shell.stdout.toString()).toMatch(/0000000000000000/);
});

test('output is a pipe that a program can open by name', async () => {
  const { stdout, stderr } = await agent.shell('echo out > /dev/stdout; echo err > /dev/stderr');
  expect([stdout.toString(), stderr.toString()]).toEqual(['out\n', 'err\n']);
});

test('an exit is told with its code or its signal', async () => {
  expect((await agent.shell('exit 7')).exit).toEqual({ type: 'exit', code: 7, signal: null });
  expect((await agent.shell('kill -TERM $$')).exit).toEqual({ type: 'exit', code: null, signal: 'SIGTERM' });
  expect((await agent.shell('kill -ABRT $$')).exit).toEqual({ type: 'exit', code: null, signal: 'SIGABRT' });
});

test('a program that is not there is not found, one that is no program is refused', async () => {
  const refused = (argv: string[], spec = {}) => agent.start(argv, spec).catch(error => error);
  expect(await refused(['foo'])).toMatchObject({
    name: 'ProgramNotFound',
    message: 'Program not found: foo',
  });
  expect(await refused(['./foo'])).toMatchObject({ name: 'ProgramNotFound' });
  expect(await refused([''])).toMatchObject({ name: 'ProgramNotFound' });
  expect(await refused(['sh'], { env: {} })).toMatchObject({ name: 'ProgramNotFound' });
  expect(await refused(['/etc/passwd'])).toMatchObject({
    message: 'Program cannot be executed: /etc/passwd',
  });
  expect(await refused(['/usr'])).toMatchObject({ message: 'Program cannot be executed: /usr' });
  await agent.shell(
    'echo "#!/bin/sh\necho ran" > tool; chmod 644 tool; mkdir -p dir/sh; mkfifo pipe; chmod 755 pipe',
  );
  const env = { PATH: `${agent.root}:/usr/bin:/bin` };
  expect(await refused(['tool'], { env })).toMatchObject({ message: 'Program cannot be executed: tool' });
  expect(await refused(['./pipe'])).toMatchObject({ name: 'FileRefused' });
  expect(
    (await agent.run(['sh', '-c', 'chmod 755 tool && tool'], undefined, { env })).stdout.toString(),
  ).toBe('ran\n');
  // A name on a relative PATH is looked for where the program starts.
  expect((await agent.run(['tool'], undefined, { env: { PATH: ':/usr/bin:/bin' } })).stdout.toString()).toBe(
    'ran\n',
  );
  expect(
    (await agent.run(['sh', '-c', 'echo sh'], undefined, { env: { PATH: `${agent.root}/dir:/bin` } })).exit
      .code,
  ).toBe(0);
});

test('arguments that cannot be handed over are refused, and the agent lives on', async () => {
  const refused = (argv: string[]) => agent.start(argv).catch(error => error.message);
  expect(await refused(['echo', 'a\0b'])).toBe('Arguments and environment cannot hold a NUL');
  expect(await refused(['echo', 'x'.repeat(200_000)])).toMatch(/^Arguments and environment are too long/);
  expect(await refused(['echo', ...Array(20).fill('x'.repeat(100_000))])).toMatch(/too long/);
  await agent.shell('ln -s /etc out');
  expect(await agent.start(['pwd'], { cwd: agent.path('out') }).catch(error => error.message)).toMatch(
    /leaves/,
  );
  expect((await agent.run(['pwd'], undefined, { cwd: '/etc' })).stdout.toString()).toBe('/etc\n');
  expect(await agent.start(['pwd'], { cwd: agent.path('no') }).catch(error => error.message)).toMatch(
    /not found/,
  );
  expect((await agent.run(['echo', 'alive'])).stdout.toString()).toBe('alive\n');
});

test('a daemon that keeps the pipes open does not delay the exit', async () => {
  const process = await agent.start(['sh', '-c', 'sleep 300 & echo $! >&2; head -c 300000 /dev/zero']);
  const { stdout, stderr } = await collect(process);
  expect(stdout.byteLength).toBe(300_000);
  expect(existsSync(`/proc/${Number(stderr)}`)).toBe(true);
  process.kill();
});

test('what a program printed comes before its exit, even while a daemon floods the pipe', async () => {
  const process = await agent.start(['sh', '-c', 'yes & echo $! >&2']);
  const { stderr } = await collect(process);
  expect(existsSync(`/proc/${Number(stderr)}`)).toBe(true);
  process.kill();
  await until('the daemon is gone', () => !existsSync(`/proc/${Number(stderr)}`));
});

test('a program that nobody listens to waits, and nothing grows', async () => {
  const process = await agent.start(['yes']);
  await sleep(300);
  const before = {
    resident: agent.residentBytes,
    ticks: agent.cpuTicks,
    host: globalThis.process.memoryUsage().rss,
  };
  await sleep(700);
  expect(agent.residentBytes - before.resident).toBeLessThan(4 << 20);
  expect(globalThis.process.memoryUsage().rss - before.host).toBeLessThan(32 << 20);
  expect(agent.cpuTicks - before.ticks).toBeLessThan(10);
  process.kill();
  const { stdout, exit } = await collect(process);
  expect(exit.signal).toBe('SIGKILL');
  // What the service holds, and what was in the pipe.
  expect(stdout.byteLength).toBeLessThanOrEqual(256 * 1024 + 64 * 1024);
});

test('single bytes that nobody takes are few', async () => {
  const script = 'import os\nwhile True: os.write(1, b"o"); os.write(2, b"e")';
  const process = await agent.start(['python3', '-c', script]);
  await sleep(1000);
  process.kill();
  let events = 0;
  for await (const event of process.events) if (event.type === 'output') events++;
  expect(events).toBeLessThan(2000);
});

test('one program that nobody listens to does not hold up another', async () => {
  const silent = await agent.start(['yes']);
  await sleep(100);
  const { stdout } = await agent.shell('head -c 3000000 /dev/zero');
  expect(stdout.byteLength).toBe(3_000_000);
  silent.kill();
  await collect(silent);
});

test('two hundred programs, thirty at a time, each say their own', async () => {
  for (let round = 0; round < 7; round++) {
    const said = await Promise.all(
      Array.from({ length: 30 }, (_, i) => agent.shell(`echo ${round} ${i}; exit ${i}`)),
    );
    for (const [i, { stdout, exit }] of said.entries()) {
      expect(stdout.toString()).toBe(`${round} ${i}\n`);
      expect(exit.code).toBe(i);
    }
  }
  await until('no descriptor of theirs is left', () => agent.openFiles < 40);
});

test('a signal reaches the whole process group', async () => {
  const process = await agent.start(['sh', '-c', 'trap "echo caught; exit 3" INT; echo up; sleep 60 & wait']);
  const events = process.events[Symbol.asyncIterator]();
  await events.next();
  process.signal('SIGINT');
  const rest = [];
  for (let next = await events.next(); !next.done; next = await events.next()) rest.push(next.value);
  expect(rest.at(-1)).toMatchObject({ code: 3 });
  expect(() => process.signal('SIGNOTHING')).toThrow();
  process.signal('SIGINT');
});

test('an idle agent does not wake up', async () => {
  await agent.run(['true']);
  const wakes = async () => {
    const before = agent.sleeps;
    await sleep(1000);
    return agent.sleeps - before;
  };
  // What it still does for the program before takes its time on a busy machine.
  await expect.poll(wakes, { timeout: 60_000 }).toBeLessThanOrEqual(2);
});
