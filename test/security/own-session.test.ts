import { describe, expect, inject, test } from 'vitest';
import { lentSession } from '../support/lent-session.ts';
import { type Cell, runtimes, sandboxes } from '../support/matrix.ts';
import { http, runOnce } from '../support/rest-client.ts';
import { TestSession } from '../support/session.ts';
import { FIND_SOCKET, serverIsWell } from './probe.ts';

/** Whatever a program does to its own sandbox, its session goes on, and it takes nothing of the server with it. */
const server = inject('server');

const lentOn = ({ language, runtimeType }: Cell) => lentSession(server.wsUrl, { language, runtimeType });

describe.for(await sandboxes())('a program in a session on $name', cell => {
  const open = () => lentOn(cell);
  const alive = async (session: TestSession) =>
    expect((await session.shell('echo', ['alive'])).stdout).toBe('alive\n');

  test('that forks without end leaves a session that starts programs again', async () => {
    await using session = await open();
    const end = await session.shell('sh', ['-c', 'b(){ b|b& }; b; while :; do b; done'], { timeout: 2 });
    expect(end.outcome).not.toBe('ok');
    await alive(session);
  });

  test('that keeps a hundred processes busy in a tenth of a core is ended, and its session is not', async () => {
    const { language, runtimeType } = cell;
    const limits = { cpuShares: 103 };
    await using session = await TestSession.open(server.wsUrl, { language, runtimeType, ...limits });
    const busy =
      'import os\nfor _ in range(100):\n  if os.fork() == 0:\n    while True: pass\nwhile True: pass';
    const end = await session.shell('python3', ['-c', busy], { timeout: 2 });
    expect(end.outcome).toMatch(/timeout|process_limit/);
    await alive(session);
  });

  test('that leaves no room for standard input gets a sentence, and the next cell runs', async () => {
    await using session = await open();
    await session.shell('chmod', ['000', '/tmp']);
    const { success, error } = await session.cell('1', { stdin: 'x' });
    expect([success, error]).toEqual([false, 'There is no room in /tmp for standard input']);
    await session.done('execute_code', { code: '1' });
  });

  test('is told that arguments are too long, however long they are', async () => {
    await using session = await open();
    const args = Array<string>(20).fill('x'.repeat(100_000));
    const { error } = await session.command('execute_shell', { commandName: 'echo', args });
    expect(error).toBe('Arguments and environment are too long');
    await alive(session);
  });

  test('may give files the times of another age', async () => {
    await using session = await open();
    await session.shell('python3', ['-c', "import os; open('f', 'w'); os.utime('f', (10**17, -10**17))"]);
    const { entries } = await session.done('list_directory');
    expect(entries).toMatchObject([{ name: 'f' }]);
  });

  test('may lie deep below the longest names', async () => {
    await using session = await open();
    const make = `import os\nfor _ in range(490): os.mkdir('d' * 255); os.chdir('d' * 255)`;
    await session.shell('python3', ['-c', make]);
    const { entries } = await session.done('list_directory', { recursive: true });
    // A listing goes as deep as a path that a command can name.
    expect(entries.length).toBeGreaterThan(10);
    expect(Math.max(...entries.map(({ path }: { path: string }) => path.length))).toBeLessThan(4096 + 256);
    await alive(session);
  });
});

describe.for(await runtimes())('an interpreter of $name', cell => {
  test('that dies between two cells holds up no later one, nor a place in the queue', async () => {
    await using session = await lentOn(cell);
    const python = cell.dialect === 'python';
    for (let ms = 0; ms < 6; ms++) {
      const seconds = ms / 1000;
      const dying = python
        ? `import os, threading; threading.Timer(${seconds}, lambda: os._exit(1)).start()`
        : `setTimeout(() => process.exit(1), ${ms})`;
      await session.cell(dying);
      await session.cell('1', { stdin: 'x' });
    }
    await session.done('restart_context');
    await session.done('execute_code', { code: '1', stdin: 'x' });
  });
});

describe('a Python cell', () => {
  const open = () => TestSession.open(server.wsUrl, { language: 'python' });

  test('that nests a result a million deep costs it its interpreter and nobody else anything', async () => {
    await using session = await open();
    const forged = `${FIND_SOCKET}\nsay(b'{"cell":1,"result":{"a":' + b'[' * 10**6 + b']' * 10**6 + b'}}\\n')`;
    expect((await session.cell(forged)).success).toBe(false);
    expect(await session.prints('print(1)')).toBe('1\n');
    await serverIsWell();
  });

  test('gives back no more empty results than there is room for', async () => {
    await using session = await open();
    const flood = `${FIND_SOCKET}\nfor _ in range(30): say(b'{"cell":1,"result":{}}\\n' * 1000)`;
    const { results, usage } = await session.done('execute_code', { code: flood });
    expect(results.length).toBeLessThan(20_000);
    expect(usage.limitsHit).toEqual(['output']);
  });

  test('that is over and prints on without end is ended', async () => {
    await using session = await open();
    const flood = `
import os, threading
def f():
    while True: os.write(1, b'x' * 65536)
threading.Thread(target=f, daemon=True).start()`;
    await session.cell(flood);
    await expect
      .poll(async () => (await session.shell('pgrep', ['-c', 'python3'])).stdout, { timeout: 60_000 })
      .toBe('0\n');
    await session.done('execute_code', { code: '1' });
  });
});

test('arguments too long for a one-shot are its failure, as a shell tells it', async () => {
  const args = Array<string>(20).fill('x'.repeat(100_000));
  const end = await runOnce(server.url, { language: 'python', code: '1', args });
  expect(end).toMatchObject({ outcome: 'nonzero_exit', exitCode: 126 });
});

test('no run of all this still holds a place', async () => {
  const running = async () => (await http(`${server.url}/health`)).body.running;
  // Other tests run programs on this server meanwhile; what holds a place for good never lets it come to nought.
  await expect.poll(running, { timeout: 100_000, interval: 20 }).toBe(0);
});
