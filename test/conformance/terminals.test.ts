import { describe, expect, inject, test } from 'vitest';
import { lentSession } from '../support/lent-session.ts';
import { sandboxes } from '../support/matrix.ts';
import { Terminal } from '../support/terminal.ts';

/** Programs in terminals, over a real socket. */
const server = inject('server');

/** Takes all terminals that there are, says why there were no more, and waits. */
const TAKES_ALL = `
import os, sys
held = []
try:
    while len(held) < 1000: held.append(os.openpty())
except OSError as error: print(error.errno, 0 < len(held) < 20, flush=True)
sys.stdin.read()`;

describe.for(await sandboxes())('a terminal in $name', ({ language, runtimeType }) => {
  const open = () => lentSession(server.wsUrl, { language, runtimeType });

  test('is one for a shell with jobs, another client sees the same, and what takes all of them is told', async () => {
    await using session = await open();
    const shell = await Terminal.open(session, 'bash', ['--norc', '-i'], { environment: { PS1: '$ ' } });
    await shell.has('$ ');
    await shell.types('stty size\r', '24 80');
    await shell.resize(100, 30);
    await shell.types('stty size\r', '30 100');
    // Once it says so, the shell has given the terminal's settings back.
    await shell.types('echo go; cat\r', '\rgo\r\n');
    await shell.types('grüße\r', 'grüße\r\ngrüße');
    await shell.types('\u001a', 'Stopped');
    await shell.types('jobs\r', '[1]+  Stopped');
    await shell.types('fg\r', '\rcat\r\n');
    // Once it answers, the terminal is its own again: until then Ctrl-C is the shell's.
    await shell.types('back\r', 'back\r\nback\r\n');
    await shell.types('\u0003', '^C');
    await shell.types('echo $TERM $?\r', 'xterm-256color 130');

    await using other = await shell.elsewhere(server.wsUrl);
    await other.has('xterm-256color 130');
    await other.types('echo from the other\r', '\rfrom the other\r\n');
    await shell.has('\rfrom the other\r\n');
    // What came last may have reached one of them only.
    await expect.poll(() => other.bytes.equals(shell.bytes)).toBe(true);

    // What is no UTF-8 comes as it is.
    await shell.types(
      "printf 'a\\xffb\\xc3'; sleep 0.05; printf '\\xa9c\\n'\r",
      Buffer.from('a\xffb\xc3\xa9c', 'latin1'),
    );
    await shell.types('exit 3\r', 'exit');
    expect(await shell.ended()).toMatchObject({ status: 'failed', exitCode: 3 });
  });

  test('is bounded in number', async () => {
    await using session = await open();
    await session.done('write_file', { path: 'takes_all.py', content: TAKES_ALL });
    const greedy = await Terminal.open(session, 'python3', ['takes_all.py']);
    await greedy.has('28 True');
    const refused = await session.command('execute_shell', {
      commandName: 'true',
      background: true,
      pty: { cols: 80, rows: 24 },
    });
    expect(refused).toMatchObject({
      success: false,
      error: 'No terminal is left in the sandbox to start true',
    });
    await greedy.types('\u0004', '');
    expect(await greedy.ended()).toMatchObject({ status: 'completed' });
    const after = await Terminal.open(session, 'tty');
    expect(await after.ended()).toMatchObject({ exitCode: 0 });
  });
});
