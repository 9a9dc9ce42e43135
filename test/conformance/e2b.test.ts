import { CommandExitError, InvalidArgumentError, Sandbox, SandboxNotFoundError, TimeoutError } from 'e2b';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { e2bAt, failure } from '../support/e2b.ts';

/** What E2B's own client sees of a server of ours. */
const { url } = inject('server');
const at = e2bAt(url);

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await Sandbox.create({
    ...at,
    metadata: { made: 'by a test & more' },
    envs: { GREETING: 'hello' },
  });
});
afterAll(() => sandbox.kill());

describe('a sandbox', () => {
  test('is found by its id and its metadata, and not by others’', async () => {
    expect(await sandbox.getInfo()).toMatchObject({
      templateId: 'base',
      state: 'running',
      cpuCount: 1,
      memoryMB: 512,
    });
    const ids = async (metadata: Record<string, string>) =>
      (await Sandbox.list({ ...at, query: { metadata } }).nextItems()).map(({ sandboxId }) => sandboxId);
    expect(await ids({ made: 'by a test & more' })).toContain(sandbox.sandboxId);
    expect(await ids({ made: 'by a test' })).not.toContain(sandbox.sandboxId);
  });

  test('has an end that moves both ways, and that a connection only moves away', async () => {
    const endsIn = async () => Math.round(((await sandbox.getInfo()).endAt.getTime() - Date.now()) / 60_000);
    await sandbox.setTimeout(7_200_000);
    expect(await endsIn()).toBe(120);
    await sandbox.setTimeout(600_000);
    expect(await endsIn()).toBe(10);
    await Sandbox.connect(sandbox.sandboxId, { ...at, timeoutMs: 60_000 });
    expect(await endsIn()).toBe(10);
  });

  test('that is killed ends what it runs, and is gone to whoever asks', async () => {
    const other = await Sandbox.create(at);
    const command = await other.commands.run('sleep 60', { background: true });
    expect([await other.isRunning(), await other.kill(), await other.isRunning()]).toEqual([
      true,
      true,
      false,
    ]);
    expect(await failure(command.wait())).toBeInstanceOf(TimeoutError);
    expect(await failure(other.commands.run('true'))).toBeInstanceOf(SandboxNotFoundError);
    expect(await failure(Sandbox.connect(other.sandboxId, at))).toBeInstanceOf(SandboxNotFoundError);
    expect(await other.kill()).toBe(false);
  });

  test('can’t be paused, and its client is told so', async () => {
    expect((await failure(sandbox.pause())).message).toMatch(
      /Pausing sandboxes is not supported by this server/,
    );
    expect(await sandbox.isRunning()).toBe(true);
  });
});

describe('a command', () => {
  test('is a line of a login shell at home, with the environment of its sandbox and its own', async () => {
    const line = 'echo $GREETING $OWN; pwd; echo $HOME; shopt -q login_shell && echo login; echo oops >&2';
    expect(await sandbox.commands.run(line, { envs: { OWN: 'world' } })).toEqual({
      exitCode: 0,
      error: undefined,
      stdout: 'hello world\n/home/user\n/home/user\nlogin\n',
      stderr: 'oops\n',
    });
    expect((await sandbox.commands.run('pwd', { cwd: '/tmp' })).stdout).toBe('/tmp\n');
    expect(
      (await sandbox.commands.run('mkdir -p sub && cd sub && python3 -c "import os; print(os.getcwd())"'))
        .stdout,
    ).toBe('/home/user/sub\n');
    expect(await failure(sandbox.commands.run('true', { cwd: 'nowhere' }))).toBeInstanceOf(
      InvalidArgumentError,
    );
    expect(await failure(sandbox.commands.run('exit 3'))).toMatchObject({ exitCode: 3 });
  });

  test('reads what is sent, is listed by its number inside, and is found by it again', async () => {
    const cat = await sandbox.commands.run('echo $$; cat', { background: true, stdin: true });
    await sandbox.commands.sendStdin(cat.pid, 'one\n');
    const listed = await sandbox.commands.list();
    expect(listed.find(({ pid }) => pid === cat.pid)).toMatchObject({
      cmd: '/bin/bash',
      args: ['-l', '-c', 'echo $$; cat'],
    });
    const again = await sandbox.commands.connect(cat.pid);
    await again.sendStdin('two\n');
    await again.closeStdin();
    expect((await cat.wait()).stdout).toBe(`${cat.pid}\none\ntwo\n`);
    expect((await again.wait()).stdout).toMatch(/two\n$/);
    expect(await failure(sandbox.commands.connect(cat.pid))).toMatchObject({
      message: expect.stringMatching(/not found/),
    });
  });

  test('outlives its client, and not its timeout or a kill', async () => {
    const left = await sandbox.commands.run('sleep 600', { background: true });
    await left.disconnect();
    const again = await sandbox.commands.connect(left.pid);
    expect(await sandbox.commands.kill(left.pid)).toBe(true);
    expect(await failure(again.wait())).toMatchObject({ exitCode: -1, error: 'signal: killed' });
    expect(await failure(again.wait())).toBeInstanceOf(CommandExitError);
    expect(await sandbox.commands.kill(left.pid)).toBe(false);
    expect(await failure(sandbox.commands.run('sleep 30', { timeoutMs: 300 }))).toBeInstanceOf(TimeoutError);
  });

  test('in a terminal has its size, and shows it to who comes later', async () => {
    let shown = '';
    const onData = (bytes: Uint8Array) => {
      shown += Buffer.from(bytes).toString();
    };
    const terminal = await sandbox.pty.create({ cols: 80, rows: 24, onData, envs: { PS1: '' } });
    await sandbox.pty.resize(terminal.pid, { cols: 123, rows: 45 });
    const again = await sandbox.pty.connect(terminal.pid, { onData });
    await terminal.disconnect();
    await sandbox.pty.sendInput(terminal.pid, Buffer.from('stty size; exit 4\n'));
    expect(await failure(again.wait())).toMatchObject({ exitCode: 4 });
    expect(shown).toContain('45 123\r\n');
  });
});
