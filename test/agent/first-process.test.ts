import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { AgentProcess, sleep } from './agent-process.ts';

/** The agent as process 1, as it is in every sandbox. Needs the right to make a process namespace. */
const able = spawnSync('unshare', ['--pid', '--fork', '--mount-proc', 'true']).status === 0;
if (!able) console.warn('skipped: this user may not make a process namespace (unshare --pid --mount-proc)');

test.skipIf(!able)('no signal from inside ends it, and a program reads nothing of it', async () => {
  await using agent = await AgentProcess.start({ namespace: true });
  for (let signal = 1; signal <= 64; signal++) await agent.shell(`kill -${signal} 1`);
  const look =
    'cat /proc/1/environ /proc/1/maps; ls /proc/1/fd; head -c 1 /proc/1/mem; echo x > /proc/1/fd/1';
  // As an ordinary user: root may look everywhere.
  const user = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups', '--inh-caps=-all'];
  const { stdout } = await agent.run([...user, 'sh', '-c', look]);
  expect(stdout.toString()).toBe('');
  expect((await agent.shell('echo alive')).stdout.toString()).toBe('alive\n');
});

test.skipIf(!able)('what can’t begin where nothing runs leaves it as it was', async () => {
  await using agent = await AgentProcess.start({ namespace: true });
  await agent.shell('echo nothing > none; echo "#!/none" > script; chmod 755 none script');
  const long = ['/bin/echo', ...Array(20).fill('x'.repeat(100_000))];
  const told: string[] = [];
  for (const argv of [['./none'], ['./script'], ['/none'], long])
    await agent.start(argv).catch(error => told.push(error.name));
  expect(told).toEqual(['FileRefused', 'ProgramNotFound', 'ProgramNotFound', 'FileRefused']);
  // More than it reads: the agent meets a broken pipe.
  expect((await agent.run(['true'], 'x'.repeat(1_000_000))).exit.code).toBe(0);
  const look =
    "import os; print(sorted(map(int, os.listdir('/proc/self/fd')))[:-1], os.getsid(0) == os.getpid())";
  expect((await agent.run(['python3', '-I', '-c', look])).stdout.toString()).toBe('[0, 1, 2] True\n');
  const signals = await agent.shell('grep "^Sig[BI]" /proc/self/status');
  expect(signals.stdout.toString()).toMatch(/^(Sig\w+:\t0+\n){2}$/);
});

test.skipIf(!able)('kill -9 -1 leaves the agent, and only it, alive', async () => {
  await using agent = await AgentProcess.start({ namespace: true });
  const bystander = await agent.start(['sleep', '60']);
  await agent.shell('kill -9 -1');
  for await (const event of bystander.events) expect(event).toMatchObject({ signal: 'SIGKILL' });
  expect((await agent.shell('echo alive; ls /proc | grep -c "^[0-9]"')).stdout.toString()).toMatch(
    /^alive\n[2-5]\n$/,
  );
});

test.skipIf(!able)(
  'what forks faster than it can be looked at is frozen and killed, and others go on',
  async () => {
    await using agent = await AgentProcess.start({ namespace: true });
    const other = await agent.start(['sh', '-c', 'while read x; do echo $x; done'], { stdin: 'pipe' });
    const hopper = `
import os
for _ in range(30):
    if os.fork() == 0:
        while True:
            if os.fork(): os._exit(0)`;
    const process = await agent.start(['python3', '-c', `${hopper}\n__import__('time').sleep(60)`]);
    await sleep(300);
    process.kill();
    for await (const event of process.events) if (event.type === 'exit') expect(event.signal).toBe('SIGKILL');
    const seen = async () => (await agent.shell('cat /proc/[0-9]*/stat | cut -c 1-60')).stdout.toString();
    // The agent, the other, the shell, cat and cut, once the last of these has begun.
    await expect.poll(async () => (await seen()).trim().split('\n'), { timeout: 60_000 }).toHaveLength(5);
    await other.write(Buffer.from('on\n'));
    other.endInput();
    for await (const event of other.events) if (event.type === 'exit') expect(event.code).toBe(0);
  },
);

test.skipIf(!able)('it goes on when what it starts first fails on its way to be a program', async () => {
  await using agent = await AgentProcess.start({ namespace: true });
  const make = async (name: string, content: Uint8Array) => {
    await agent.client.files.write(agent.path(name), content);
    chmodSync(agent.path(name), 0o755);
    return [agent.path(name)];
  };
  // What is to be mapped where no program's memory is: found out when the agent's is given up already (execve(2)).
  const broken = Buffer.alloc(4096);
  readFileSync('/bin/sh').copy(broken, 0, 0, 64);
  broken.writeUInt16LE(2, 16);
  broken.writeBigUInt64LE(64n, 32);
  broken.writeUInt16LE(1, 56);
  broken.writeUInt32LE(1, 64);
  broken.writeUInt32LE(5, 68);
  broken.writeBigUInt64LE(0xffff_8000_0000_0000n, 80);
  for (const at of [96, 104]) broken.writeBigUInt64LE(4096n, at);
  const program = await make('broken', broken);
  const lost = await make('lost', Buffer.from('#!/nowhere/at/all\n'));
  for (let i = 0; i < 3; i++) {
    expect((await agent.run(program)).exit).toMatchObject({ code: null, signal: 'SIGSEGV' });
    await expect(agent.run(lost)).rejects.toMatchObject({ name: 'ProgramNotFound' });
    expect((await agent.shell('echo on')).stdout.toString()).toBe('on\n');
  }
});
