import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Process, TerminalSize } from '../../src/sandbox.ts';
import { AgentProcess, collect, until } from './agent-process.ts';

/** Terminals as the agent makes them: what a program is given, what it shows, how they end. */
let agent: AgentProcess;
beforeAll(async () => {
  agent = await AgentProcess.start();
});
afterAll(() => agent[Symbol.asyncDispose]());

const start = (script: string, pty: TerminalSize = { cols: 80, rows: 24 }) =>
  agent.start(['bash', '--norc', '-c', script], { stdin: 'pipe', pty });
/** A terminal's program, what it has shown so far, and its end. */
class Screen {
  text = '';
  readonly process: Process;
  readonly end: Promise<string>;

  constructor(process: Process) {
    this.process = process;
    this.end = this.#read();
  }

  static of = async (script: string, pty?: TerminalSize) => new Screen(await start(script, pty));

  async #read(): Promise<string> {
    // The bytes of a character may come in two pieces.
    const decoder = new TextDecoder();
    for await (const event of this.process.events)
      if (event.type === 'output') this.text += decoder.decode(event.data, { stream: true });
    return this.text;
  }

  has(text: string): Promise<void> {
    return until(`it shows ${text}`, () => this.text.includes(text));
  }

  type(text: string): Promise<void> {
    return this.process.write(Buffer.from(text));
  }
}

test('all standard streams are one terminal of the size that was asked for, which controls the program', async () => {
  const script =
    'for fd in 0 1 2; do readlink /proc/self/fd/$fd; done; stty size; ps -o sid=,tpgid= -p $$; echo err >&2';
  const said = await collect(await start(script, { cols: 132, rows: 43 }));
  const [input, output, errors, size, ids, last] = said.stdout.toString().split('\r\n');
  expect([output, errors]).toEqual([input, input]);
  expect(input).toMatch(/^\/dev\/pts\/\d+$/);
  expect(size).toBe('43 132');
  const [session, foreground] = ids!.trim().split(/\s+/);
  expect(foreground).toBe(session);
  expect(last).toBe('err');
  expect(said.stderr.byteLength).toBe(0);
});

test('a new size is told to the programs in the foreground', async () => {
  const screen = await Screen.of('trap "stty size; exit" WINCH; echo ready; while :; do sleep 0.05; done');
  await screen.has('ready');
  screen.process.resize({ cols: 132, rows: 43 });
  expect(await screen.end).toContain('43 132');
});

test('characters are typed whole, also where their bytes come one by one, and the end of a file can be typed', async () => {
  const screen = await Screen.of('echo first; cat; echo then; cat');
  await screen.has('first');
  for (const byte of Buffer.from('ä€😀\x7f!\n')) await screen.process.write(Uint8Array.of(byte));
  await screen.has('\nä€!');
  screen.process.endInput();
  await screen.has('then');
  await screen.type('more\n');
  await screen.has('more\r\nmore');
  screen.process.endInput();
  expect(await screen.end).toBe('first\r\nä€😀\b \b!\r\nä€!\r\nthen\r\nmore\r\nmore\r\n');
});

test('what a program writes last is shown, however much it is', async () => {
  const text = await (await Screen.of('head -c 500000 /dev/zero | tr "\\0" x; printf end')).end;
  expect(text.length).toBe(500_003);
  expect(text.endsWith('xend')).toBe(true);
});

test('a program that shows more than anybody reads waits, and goes on when somebody does', async () => {
  const process = await start('head -c 3000000 /dev/zero');
  const events = process.events[Symbol.asyncIterator]();
  await events.next();
  let bytes = 0;
  for (;;) {
    const { value } = await events.next();
    if (value.type === 'exit') break;
    bytes += value.data.byteLength;
  }
  // The first piece was read above.
  expect(bytes).toBeGreaterThan(2_900_000);
});

test('its end is that of its program: what that left in the background goes on, as in a terminal, until it is killed', async () => {
  const screen = await Screen.of('set -m; sleep 3331 & setsid sleep 3333 & echo out');
  expect(await screen.end).toBe('out\r\n');
  const running = async () =>
    (await agent.shell('ps -eo args | grep "[s]leep 333" | sort')).stdout.toString();
  await expect.poll(running).toBe('sleep 3331\nsleep 3333\n');
  screen.process.kill();
  await expect.poll(running).toBe('');
});

test('what it had in the foreground is hung up', async () => {
  const screen = await Screen.of(
    'bash -c "trap \'echo hung up > hung; exit\' HUP; while :; do sleep 0.05; done" & sleep 0.3; kill -9 $$',
  );
  await screen.end;
  const left = async () => (await agent.shell('cat hung')).stdout.toString();
  await expect.poll(left).toBe('hung up\n');
});

test('no descriptor of the agent’s is left', async () => {
  const before = agent.openFiles;
  for (let i = 0; i < 5; i++) await (await Screen.of('echo')).end;
  const nothing = { stdin: 'pipe', pty: { cols: 1, rows: 1 } } as const;
  await expect(agent.start(['nowhere'], nothing)).rejects.toThrow('not found');
  // Those of earlier programs may have been counted before.
  await expect.poll(() => agent.openFiles).toBeLessThanOrEqual(before);
});
