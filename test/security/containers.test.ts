import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, inject, test } from 'vitest';
import { runtimes } from '../support/matrix.ts';
import { TestSession } from '../support/session.ts';
import { serverIsWell } from './probe.ts';

/** What the machine counts for each user, and what an engine shows of the machine. */
const server = inject('server');

/** Takes as many as the kernel gives one user (inotify(7), max_user_instances), and holds them. */
const TAKE = `
import ctypes, time
libc = ctypes.CDLL(None)
taken = 0
while taken < 1000 and libc.inotify_init() >= 0: taken += 1
open('/workspace/taken', 'w').write(str(taken))
time.sleep(60)`;

const SEE = `
import json
def text(path):
    with open(path) as file: return file.read(10_000)
print(json.dumps({path: text(path) for path in
  ('/proc/interrupts', '/proc/diskstats', '/proc/sys/kernel/random/boot_id', '/etc/resolv.conf', '/etc/hosts', '/etc/hostname')}))`;

const containers = (await runtimes()).filter(({ runtimeType }) => runtimeType === 'Docker');

const [DRIVER] = engine('info', '--format', '{{.Driver}}');

describe.for(containers)('a container of $name', cell => {
  const open = () =>
    TestSession.open(server.wsUrl, { language: cell.language, runtimeType: cell.runtimeType });

  test('uses up nothing that the kernel counts for each user but its own', async () => {
    await using one = await open();
    await using two = await open();
    const command = { type: 'execute_shell', commandName: 'python3', args: ['-c', TAKE], background: true };
    await one.client.call('session.execute', { sessionId: one.id, command });
    await expect
      .poll(async () => (await one.command('read_file', { path: 'taken' })).result?.content, {
        timeout: 30_000,
      })
      .toMatch(/^[1-9]\d*$/);
    const said = await two.shell('python3', ['-c', 'import ctypes; print(ctypes.CDLL(None).inotify_init())']);
    expect(said.stdout).toMatch(/^\d+\n$/);
    const users = [await one.shell('id', ['-u']), await two.shell('id', ['-u'])].map(({ stdout }) => stdout);
    expect(new Set(users).size).toBe(2);
    await serverIsWell();
  });

  test('shows no counters, no boot and no resolver of the machine', async () => {
    await using session = await open();
    const seen = JSON.parse((await session.shell('python3', ['-c', SEE])).stdout);
    const { '/etc/hosts': hosts, '/etc/hostname': name, '/etc/resolv.conf': resolver, ...machine } = seen;
    for (const [path, content] of Object.entries(machine)) expect(content, path).toBe('');
    expect(name).toBe('sandbox\n');
    const servers = readFileSync('/etc/resolv.conf', 'utf8').matchAll(/^nameserver\s+(\S+)/gm);
    for (const [, address] of servers) expect(resolver + hosts).not.toContain(address);
  });

  test('knows its user by what programs ask first', async () => {
    await using session = await open();
    const said = await session.shell('python3', [
      '-c',
      'import getpass, os; print(getpass.getuser(), os.path.expanduser("~"), open("/workspace/a", "w").write("b"))',
    ]);
    expect(said.stdout).toBe('sandbox /home/sandbox 1\n');
  });

  test('has no network of the engine’s, ends by itself with its session, and is killed where its agent was stopped', async () => {
    const closed = async (before: (id: string) => void) => {
      const session = await open();
      const [{ environmentId }] = (await session.client.call('session.list', {})).sessions.filter(
        ({ sessionId }: { sessionId: string }) => sessionId === session.id,
      );
      const [id = ''] = engine(
        'ps',
        '--quiet',
        '--no-trunc',
        '--filter',
        `label=codebeaker.session=${environmentId}`,
      );
      // On an engine whose files this machine sees.
      if (DRIVER === 'overlay2')
        expect(engine('inspect', '--format', '{{.NetworkSettings.SandboxKey}}', id)).toEqual([]);
      before(id);
      await session[Symbol.asyncDispose]();
      expect(engine('ps', '--all', '--quiet', '--filter', `id=${id}`)).toEqual([]);
      const until = String(Math.ceil(Date.now() / 1000));
      const own = ['--filter', `container=${id}`, '--format', '{{.Action}}'];
      return engine('events', '--since', '10m', '--until', until, ...own);
    };
    const ended = await closed(() => {});
    expect(ended).toEqual(expect.arrayContaining(['die', 'destroy']));
    expect(ended).not.toContain('kill');
    const killed = await closed(id => engine('kill', '--signal', 'STOP', id));
    expect(killed.filter(action => action === 'kill')).toHaveLength(2);
  });
});

/** Lines that the engine's own client says. */
function engine(...args: string[]): string[] {
  return execFileSync('docker', args, { encoding: 'utf8' }).split('\n').filter(Boolean);
}
