import { globSync, readFileSync } from 'node:fs';
import { describe, expect, inject, test, vi } from 'vitest';
import { lentSession } from '../support/lent-session.ts';
import { matrix, sandboxes } from '../support/matrix.ts';
import { http } from '../support/rest-client.ts';
import { RpcClient } from '../support/rpc-client.ts';
import { TestSession } from '../support/session.ts';

/** `execution.runCommands` and its REST twin, as a client has them. */
const server = inject('server');
const write = (path: string, content = path) => ({ type: 'write_file', path, content });
/** A program that ends with its session only, and by its time is told from others that this machine runs. */
const left = (time: string) => `setsid sleep ${time} >/dev/null 2>&1 </dev/null`;
const runs = (time: string) =>
  globSync('/proc/[0-9]*/cmdline').some(file => {
    try {
      return readFileSync(file, 'utf8') === `sleep\0${time}\0`;
    } catch {
      return false;
    }
  });
const shell = (line: string) => ({ type: 'execute_shell', commandName: 'sh', args: ['-c', line] });

describe.for(await sandboxes())('a session of $name', ({ language, runtimeType, dialect }) => {
  test('runs several commands as one, and tells of each as it ends', async () => {
    await using session = await lentSession(server.wsUrl, { language, runtimeType });
    const run = (commands: object[], more = {}) =>
      session.client.call('execution.runCommands', { sessionId: session.id, commands, ...more });
    const code = dialect === 'python' ? 'print(open("d/a").read())' : 'console.log("a")';
    const cell = { type: 'execute_code', code };
    const first = await run([
      write('d/a', 'a'),
      cell,
      shell('printf b >> d/a'),
      { type: 'read_file', path: 'd/a' },
    ]);
    expect(first).toMatchObject({ success: true, completed: 4, rolledBack: false, contextsRestarted: [] });
    expect(first.results[1].result.stdout).toBe('a\n');
    expect(first.results[3].result.content).toBe('ab');

    const many = Array.from({ length: 150 }, (_, i) => write(`many/${i}`, String(i)));
    expect(await run([...many, shell('ls many | wc -l')])).toMatchObject({ success: true, completed: 151 });

    const missing = { type: 'read_file', path: 'missing' };
    const told = await run([shell('echo hi'), missing, write('never')], { stream: true });
    expect(told.results).toMatchObject([{ success: true }, { success: false }, null]);
    const progress = session.client.notifications.filter(({ method }) => method === 'execution.progress');
    expect(progress.map(({ params }) => [params.step, params.total, params.message])).toEqual([
      [1, 3, 'execute_shell'],
      [2, 3, 'read_file'],
    ]);
    expect(progress.map(({ params }) => params.result)).toEqual(told.results.slice(0, 2));
    const { entries } = await session.done('list_directory', { path: '.' });
    expect(entries.map(({ name }: { name: string }) => name)).toEqual(['d', 'many']);
  });
});

describe('a batch', async () => {
  const [first] = await matrix();
  const { language, runtimeType } = first!;

  test('is refused as a whole, naming the command, and takes no batch', async () => {
    await using session = await TestSession.open(server.wsUrl, { language, runtimeType });
    const refused = (params: object) =>
      session.client.refused('execution.runCommands', { sessionId: session.id, ...params });
    const batch = { type: 'execution.runCommands', commands: [write('a')] };
    expect(await refused({ commands: [write('a'), batch] })).toMatchObject({
      code: -32602,
      data: { field: 'commands[1].type' },
    });
    expect(await refused({ commands: [write('a'), write('b'), write('/etc/c')] })).toMatchObject({
      data: { field: 'commands[2].path' },
    });
    const large = Array.from({ length: 1001 }, () => write('a'));
    for (const commands of [[], large])
      expect(await refused({ commands })).toMatchObject({ data: { field: 'commands' } });
    expect(await refused({ commands: [write('a')], language })).toMatchObject({
      data: { field: 'language' },
    });
    expect(await session.done('list_directory')).toMatchObject({ entries: [] });
    await using other = await TestSession.open(server.wsUrl, { language, runtimeType });
    expect(await other.client.refused('execution.runCommands', { commands: [write('a')] })).toMatchObject({
      data: { field: 'sessionId' },
    });
  });

  test('has a session of its own where it names none, which ends with its client', async () => {
    const client = await RpcClient.connect(server.wsUrl);
    const batch = (...commands: object[]) => client.call('execution.runCommands', { language, commands });
    const done = await batch(write('a'), shell('echo 1'), shell(`${left('100.01')} &`));
    expect(done).toMatchObject({ success: true, completed: 3 });
    await vi.waitUntil(() => !runs('100.01'), { timeout: 60_000 });
    batch(shell(left('100.02'))).catch(() => {});
    await vi.waitUntil(() => runs('100.02'), { timeout: 60_000 });
    await client.close();
    await vi.waitUntil(() => !runs('100.02'), { timeout: 60_000 });
  });

  test('is the same over REST, where it can be waited for and cancelled', async () => {
    await using session = await TestSession.open(server.wsUrl, { language, runtimeType });
    const url = `${server.url}/api/session/${session.id}`;
    const { status, body } = await http(`${url}/batch`, 'POST', { commands: [write('a'), shell('cat a')] });
    expect([status, body.success, body.results[1].result.stdout]).toEqual([200, true, 'a']);
    const prefer = { prefer: 'wait=0' };
    const long = { commands: [shell('sleep 100'), write('never')] };
    const pending = (await http(`${url}/batch`, 'POST', long, prefer)).body;
    expect(pending).toMatchObject({ sessionId: session.id, status: 'running' });
    const ended = await http(`${url}/commands/${pending.commandId}`, 'DELETE');
    expect(ended.body).toMatchObject({ executionId: pending.executionId, status: 'cancelled' });
    expect(await session.command('read_file', { path: 'never' })).toMatchObject({ success: false });
    const wrong = await http(`${url}/batch`, 'POST', { commands: [write('a'), { type: 'rm' }] });
    expect([wrong.status, wrong.body.code]).toEqual([400, 'VALIDATION_ERROR']);
    expect(wrong.body.message).toMatch(/^commands\[1\]\.type: /);
  });
});
