import { describe, expect, inject, test } from 'vitest';
import { lentSession } from '../support/lent-session.ts';
import { startedSandboxes } from '../support/matrix.ts';
import { RpcClient } from '../support/rpc-client.ts';
import { TestSession } from '../support/session.ts';

/** What waits for what: commands of one connection to one session run in the order sent, all else beside them. */
const server = inject('server');

describe.for(await startedSandboxes())(
  'commands sent to $name without waiting',
  ({ language, runtimeType, dialect }) => {
    const open = () => lentSession(server.wsUrl, { language, runtimeType });
    const python = dialect === 'python';
    const say = (what: string) => (python ? `print(${what})` : `console.log(${what})`);
    const nap = python ? 'import time; time.sleep(0.5)' : 'await new Promise(r => setTimeout(r, 500))';

    test('run in the order sent', async () => {
      await using session = await open();
      const answers = await Promise.all([
        session.cell(`x = 1\n${nap}`),
        session.command('write_file', { path: 'f', content: 'from the service' }),
        session.command('execute_shell', { commandName: 'cat', args: ['f'] }),
        session.cell('x = x + 1'),
        session.cell(say('x')),
        session.command('delete_file', { path: 'f' }),
      ]);
      expect(answers.map(a => a.success)).toEqual([true, true, true, true, true, true]);
      expect(answers[2].result.stdout).toBe('from the service');
      expect(answers[4].result.stdout).toBe('2\n');
    });

    test('a hundred cells keep their order', async () => {
      await using session = await open();
      await session.prints(python ? 'seen = []' : 'var seen = []');
      const add = (i: number) => session.cell(python ? `seen.append(${i})` : `seen.push(${i})`);
      await Promise.all(Array.from({ length: 100 }, (_, i) => add(i)));
      const shown = await session.prints(python ? 'print(*seen)' : 'console.log(...seen)');
      expect(shown.trim()).toBe(Array.from({ length: 100 }, (_, i) => i).join(' '));
    });

    test('hold up neither ping, nor get, nor a cancellation, nor another context, connection or session', async () => {
      await using session = await open();
      await using other = await open();
      const forever = python
        ? 'import time; time.sleep(60)'
        : 'await new Promise(r => setTimeout(r, 60_000))';
      const long = session.client.request('session.execute', {
        sessionId: session.id,
        command: { type: 'execute_code', code: forever, timeout: 60 },
      });
      let ended = false;
      long.reply.catch(() => {
        ended = true;
      });
      expect(await session.client.call('ping')).toHaveProperty('now');
      const info = await session.client.call('session.get', { sessionId: session.id });
      expect(info.state).toBe('Active');
      expect(await session.prints(say('1'), { context: 'second' })).toBe('1\n');
      expect(await other.prints(say('2'))).toBe('2\n');
      const second = await RpcClient.connect(server.wsUrl);
      const command = { type: 'execute_shell', commandName: 'echo', args: ['3'] };
      const beside = await second.call('session.execute', { sessionId: session.id, command });
      expect(beside.result.stdout).toBe('3\n');
      await second.close();
      expect(ended).toBe(false);
      session.client.notify('$/cancelRequest', { id: long.id });
      await expect(long.reply).rejects.toMatchObject({ code: -32800 });
      expect(await session.prints(say('4'))).toBe('4\n');
    });

    test('a cancelled request that waits in the queue never runs', async () => {
      await using session = await open();
      const first = session.cell(`${nap}`);
      const second = session.client.request('session.execute', {
        sessionId: session.id,
        command: { type: 'write_file', path: 'never', content: '' },
      });
      session.client.notify('$/cancelRequest', { id: second.id });
      await expect(second.reply).rejects.toMatchObject({ code: -32800 });
      expect((await first).success).toBe(true);
      expect((await session.done('list_directory')).entries).toEqual([]);
    });

    test('closing the session does not wait for a long cell, which still gets its answer', async () => {
      await using session = await TestSession.open(server.wsUrl, { language, runtimeType });
      const forever = python
        ? 'import time; time.sleep(60)'
        : 'await new Promise(r => setTimeout(r, 60_000))';
      const long = session.cell(forever, { timeout: 60 }).catch((error: unknown) => error);
      await session.client.call('ping');
      const closed = await session.client.call('session.close', { sessionId: session.id });
      expect(closed).toEqual({ sessionId: session.id, closed: true });
      expect(await long).toBeDefined();
    });
  },
);
