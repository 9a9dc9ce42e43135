import { describe, expect, inject, test } from 'vitest';
import { lentSession } from '../support/lent-session.ts';
import { startedSandboxes } from '../support/matrix.ts';
import { RpcClient } from '../support/rpc-client.ts';
import { TestSession } from '../support/session.ts';

/** Batches that are undone together, whatever their commands are. */
const server = inject('server');
const shell = (line: string, more: object = {}) => ({
  type: 'execute_shell',
  commandName: 'sh',
  args: ['-c', line],
  ...more,
});
const missing = { type: 'read_file', path: 'no/such/file' };

/** Runs a line of shell that is expected to end well, and resolves to what it printed. */
const printsIn = (session: TestSession) => async (line: string) => {
  const { outcome, stdout } = await session.shell('sh', ['-c', line]);
  expect(outcome, line).toBe('ok');
  return stdout as string;
};

/** All that a program sees of /workspace. */
const SEEN = 'ls -lanR --full-time . | sed "s/^total .*//" && cat old dir/f hard && readlink link';

const CELLS = {
  python: {
    sets: 'x = 1',
    changes: "open('old', 'w').write('by a cell'); open('by-cell', 'w').write('x'); y = 2",
    asks: "print('x' in globals(), 'y' in globals())",
    lost: 'False False\n',
    kept: 'True True\n',
  },
  javascript: {
    sets: 'var x = 1',
    changes:
      "require('fs').writeFileSync('old', 'by a cell'); require('fs').writeFileSync('by-cell', 'x'); var y = 2",
    asks: 'console.log(typeof x, typeof y)',
    lost: 'undefined undefined\n',
    kept: 'number number\n',
  },
} as const;

describe.for(await startedSandboxes())('a transaction in $name', ({ language, runtimeType, dialect }) => {
  const { sets, changes, asks, lost, kept } = CELLS[dialect];
  const cell = (code: string) => ({ type: 'execute_code', code });

  test('of cells and programs leaves nothing behind when it fails, and all of it when it does not', async () => {
    await using session = await lentSession(server.wsUrl, { language, runtimeType });
    const sh = printsIn(session);
    const transact = (commands: object[]) =>
      session.client.call('execution.runCommands', { sessionId: session.id, commands, transactional: true });

    await sh(`mkdir -p dir/empty shut; echo old > old; echo f > dir/f; ln dir/f hard; ln -s dir link; mkfifo pipe
      truncate -s 1M holes; printf end >> holes; echo s > shut/s; chmod 500 shut; chmod 640 old
      touch -d '2001-02-03 04:05:06.789' dir old shut .`);
    await session.prints(sets);
    // It runs before and after, with a file open, and counts as long as it runs.
    const counter = 'exec 3>>old 4>>/tmp/counted; while :; do echo . >&4; sleep 0.02; done';
    await session.command('execute_shell', { ...shell(counter), id: 'before', background: true });
    const counts =
      'touch /tmp/counted; a=$(wc -c < /tmp/counted); while [ $(wc -c < /tmp/counted) = $a ]; do sleep 0.01; done';
    await sh(counts);
    const before = await sh(SEEN);

    const destroys =
      shell(`rm -r dir hard; mkdir hard; echo n > dir; chmod 777 old shut; echo >> shut/s; rm pipe link
      mv holes moved; mkdir -p deep/er; ln old deep/er/hard; touch -d @0 shut; chmod 0 .`);
    const background = shell('while :; do echo x >> left-over; sleep 0.01; done', {
      id: 'during',
      background: true,
    });
    const failed = await transact([
      { type: 'write_file', path: 'written', content: 'x' },
      cell(changes),
      background,
      shell('(setsid sleep 1234.5 &)'),
      destroys,
      missing,
    ]);
    expect(failed).toMatchObject({
      success: false,
      completed: 6,
      rolledBack: true,
      contextsRestarted: ['default'],
    });
    expect(await sh(SEEN)).toBe(before);
    expect(await session.prints(asks)).toBe(lost);
    // What began before goes on, and what began meanwhile is gone.
    const { processes } = await session.client.call('process.list', { sessionId: session.id });
    expect(processes.map(({ commandId }: { commandId: string }) => commandId)).toEqual(['before']);
    const alive =
      'for each in /proc/[0-9]*/cmdline; do tr "\\\\0" " " < $each; done 2> /dev/null | grep -c "sleep 1234[.]5"';
    expect((await session.shell('sh', ['-c', alive])).stdout).toBe('0\n');
    await sh(counts);

    await session.prints(sets);
    const done = await transact([cell(changes), shell('mkdir new; mv old new/; chmod 700 dir')]);
    expect(done).toMatchObject({ success: true, rolledBack: false, contextsRestarted: [] });
    expect(await sh('cat new/old by-cell; stat -c %a dir; ls -A')).toBe(
      'by a cellx700\nby-cell\ndir\nhard\nholes\nlink\nnew\npipe\nshut\n',
    );
    expect(await session.prints(asks)).toBe(kept);
  });

  test('is undone when it is cancelled, its client leaves, or the disk is full', async () => {
    await using session = await TestSession.open(server.wsUrl, { language, runtimeType, memoryLimitMB: 128 });
    const sh = printsIn(session);
    await sh(`mkdir -p dir/empty; head -c 3000000 /dev/zero > old; echo f > dir/f; ln dir/f hard; ln -s dir link; mkfifo pipe
      truncate -s 1M holes; touch -d '2001-02-03 04:05:06.789' dir old .`);
    const seen = 'ls -lanR --full-time . | sed "s/^total .*//"; sha256sum old holes dir/f; readlink link';
    const before = await sh(seen);
    const changes =
      'echo new > old; rm -r dir; mv holes moved; rm pipe; ln -sfn nowhere link; echo x >> hard';
    const commands = [shell(changes), shell('sleep 300')];

    const begin = async (client: RpcClient) => {
      const params = { sessionId: session.id, commands, transactional: true, stream: true };
      const { reply } = client.request('execution.runCommands', params);
      const told = await client.notified(({ method }) => method === 'execution.progress');
      return { reply, executionId: told.params.executionId };
    };
    const { reply, executionId } = await begin(session.client);
    await session.client.call('execution.cancel', { executionId });
    expect(await reply).toMatchObject({ success: false, rolledBack: true });
    expect(await sh(seen)).toBe(before);

    const other = await RpcClient.connect(server.wsUrl);
    await begin(other);
    await other.close();
    expect(await sh(seen)).toBe(before);

    // It ends for want of room or of memory, which is the same here.
    const full = await session.client.call('execution.runCommands', {
      sessionId: session.id,
      commands: [
        shell(`${changes}; cat /dev/zero > filler; exit 1`),
        shell('cat /dev/zero >> hard'),
        missing,
      ],
      transactional: true,
    });
    expect(full).toMatchObject({ success: false, rolledBack: true });
    expect(await sh(seen)).toBe(before);
  });

  test('is refused before it starts where what is there can’t be kept beside', async () => {
    await using session = await TestSession.open(server.wsUrl, { language, runtimeType, memoryLimitMB: 128 });
    await session.shell('sh', ['-c', 'head -c 40000000 /dev/zero > large']);
    const commands = [shell('touch ran'), missing];
    const refused = await session.client.refused('execution.runCommands', {
      sessionId: session.id,
      commands,
      transactional: true,
    });
    expect(refused.data).toEqual({ code: 'CONFLICT', field: 'transactional' });
    expect((await session.shell('ls', ['-A'])).stdout).toBe('large\n');
  });
});
