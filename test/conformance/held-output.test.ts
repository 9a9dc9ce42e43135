import { describe, expect, inject, test } from 'vitest';
import { lentSession } from '../support/lent-session.ts';
import { matrix } from '../support/matrix.ts';
import { runOnce } from '../support/rest-client.ts';

/** Python holds back what it prints as it does by hand, unless somebody reads along or a limit ends it. */
const server = inject('server');
const cells = (await matrix()).filter(({ dialect }) => dialect === 'python');

const LINES = 'import time\nfor i in range(3):\n    print("tick", i)\ntime.sleep(60)';

describe.for(cells)('$language on $runtimeType', ({ language, runtimeType }) => {
  const run = async (code: string, timeout = 30, more = {}) => {
    return runOnce(server.url, { language, runtimeType, code, config: { timeout, ...more } });
  };

  test('starts as by hand, and loses what it holds when it leaves as by hand', async () => {
    expect(await run('import os; print("held"); os._exit(0)')).toMatchObject({ outcome: 'ok', stdout: '' });
    const seen = await run(`
import os, sys
print(sys.stdout.line_buffering, sys.stdout.write_through, [name for name in os.environ if name.startswith('PYTHON')])
print("seen", flush=True)
os._exit(3)`);
    expect(seen).toMatchObject({ exitCode: 3, stdout: 'False False []\nseen\n' });
  });

  test('has what it printed before a time limit, in every process of its own', async () => {
    const waits: [code: string, timeout: number, more: object][] = [
      ['time.sleep(60)', 1, {}],
      ['while True: pass', 30, { cpuTime: 0.3 }],
    ];
    // What ends it is the same in a container.
    for (const [wait, ...limits] of runtimeType === 'Docker' ? waits.slice(0, 1) : waits)
      expect(await run(`import time\nprint("held")\n${wait}`, ...limits)).toMatchObject({
        status: 'timeout',
        signal: 'SIGKILL',
        stdout: 'held\n',
      });
    const child = `import time; print(1); time.sleep(60)`;
    const { stdout } = await run(
      `import subprocess, sys\nprint('parent')\nsubprocess.run(['sh', '-c', f'{sys.executable} -c "${child}"; echo never'])`,
      3,
    );
    expect(stdout.split('\n').sort()).toEqual(['', '1', 'parent']);
    // What a fork holds is its parent's.
    expect(
      await run('import os, time\nprint("once")\nif os.fork() == 0: time.sleep(60)\ntime.sleep(60)', 1),
    ).toMatchObject({ stdout: 'once\n' });
  });

  test('shows lines at once to whoever reads along, whatever starts it', async () => {
    await using session = await lentSession(server.wsUrl, { language, runtimeType });
    const { client } = session;
    await session.done('write_file', { path: 'ticks.py', content: LINES });
    const seen = async (start: () => Promise<unknown>) => {
      const before = client.notifications.length;
      const ended = start();
      const text = () =>
        client.notifications
          .slice(before)
          .map(({ params }) => params.text ?? '')
          .join('');
      await expect.poll(text, { timeout: 30_000 }).toBe('tick 0\ntick 1\ntick 2\n');
      const events = client.notifications.slice(before);
      // While it runs, for a minute, and nothing in it writes what it holds.
      expect(events.some(({ method }) => method === 'execution.completed')).toBe(false);
      const { executionId } = events[0]!.params;
      await client.call('execution.cancel', { executionId });
      await ended.catch(() => {});
    };
    await seen(() => client.call('execution.run', { language, runtimeType, code: LINES, stream: true }));
    await seen(() => session.command('execute_code', { code: LINES }, { stream: true }));
    await seen(() =>
      session.command(
        'execute_shell',
        { commandName: 'sh', args: ['-c', 'env -i /usr/bin/python3 ticks.py'] },
        { stream: true },
      ),
    );
    await seen(() =>
      session.command('execute_shell', { commandName: 'python3', args: ['ticks.py'], background: true }),
    );
  });

  test('prints a line of a cell in one piece, and keeps it when the interpreter is killed', async () => {
    await using session = await lentSession(server.wsUrl, { language, runtimeType });
    const killed = await session.cell(
      'import os, signal\nprint("a", "b")\nos.kill(os.getpid(), signal.SIGKILL)',
    );
    expect(killed.result.stdout).toBe('a b\n');
    const late = await session.cell('import time; print("held", end="")\ntime.sleep(60)', { timeout: 1 });
    expect(late.result.stdout).toBe('held');
  });
});
