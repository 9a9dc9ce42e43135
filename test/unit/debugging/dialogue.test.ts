import { expect, test } from 'vitest';
import { workspacePath } from '../../../src/commands/paths.ts';
import { Dialogue } from '../../../src/service/debugging/dialogue.ts';
import { type Message, readMessage } from '../../../src/service/debugging/message.ts';
import { debugpy } from '../../../src/toolchains/debugpy.ts';

/** What a client and an adapter say to each other, and what becomes of it between them. */
function dialogue() {
  const between = new Dialogue(debugpy, (path = '.', field) => workspacePath(path, field));
  let seq = 0;
  return {
    between,
    asks: (command: string, args?: unknown) =>
      between.fromClient({ seq: ++seq, type: 'request', command, arguments: args }),
    hears: async (message: object, why: string | null = null) =>
      (await between.fromAdapter({ seq: 99, ...message } as Message, async () => why)).toClient,
    gone: (why: string | null = null) => between.adapterGone(async () => why),
  };
}

const event = (name: string, body: object = {}) => ({ type: 'event', event: name, body });
const named = (messages: readonly Message[]) => messages.map(({ event, command }) => event ?? command);

test('a launch has what every language takes, what the debugger takes, and nothing that leads elsewhere', () => {
  const { toAdapter } = dialogue().asks('launch', {
    type: 'python',
    request: 'launch',
    name: 'mine',
    program: 'src/main.py',
    args: ['-v'],
    env: { A: '1' },
    stopOnEntry: true,
    justMyCode: false,
    cwd: null,
    console: 'integratedTerminal',
    subProcess: true,
    python: '/usr/bin/env',
    debugAdapterPath: '/workspace/mine',
  });
  expect(toAdapter[0]!.arguments).toEqual({
    program: '/workspace/src/main.py',
    args: ['-v'],
    env: { A: '1' },
    stopOnEntry: true,
    justMyCode: false,
    cwd: '/workspace',
    console: 'internalConsole',
    subProcess: false,
    pythonArgs: ['-B'],
  });
});

test.each([
  ['program: leaves /workspace', { program: '/etc/passwd' }],
  ['cwd: leaves /workspace', { program: 'a.py', cwd: '..' }],
  ['program: missing: the file to be debugged, in /workspace', {}],
  ['program: missing: the file to be debugged, in /workspace', null],
  ['program: Expected string', { program: 7 }],
  ['args[0]: Expected string', { program: 'a.py', args: [1] }],
])('a launch is refused: %s', (words, args) => {
  const { toAdapter, toClient } = dialogue().asks('launch', args);
  expect(toAdapter).toEqual([]);
  expect(toClient).toMatchObject([
    { seq: 1, type: 'response', request_seq: 1, command: 'launch', success: false, message: words },
  ]);
});

test('what the debugger would leave unanswered is refused, and not among its capabilities', async () => {
  const { asks, hears } = dialogue();
  for (const command of ['attach', 'restart'])
    expect(asks(command)).toMatchObject({ toAdapter: [], toClient: [{ command, success: false }] });
  expect(asks('restartFrame').toAdapter).toHaveLength(1);
  const body = { supportsRestartRequest: true, supportsLogPoints: true };
  const answer = { type: 'response', request_seq: 1, command: 'initialize', success: true, body };
  expect((await hears(answer))[0]!.body).toEqual({ supportsRestartRequest: false, supportsLogPoints: true });
});

test('nothing is done that an adapter asks for, and it is not told that a client would', async () => {
  const { asks, between } = dialogue();
  const { toAdapter } = asks('initialize', { adapterID: 'x', supportsRunInTerminalRequest: true });
  expect(toAdapter[0]!.arguments).toEqual({
    adapterID: 'x',
    supportsRunInTerminalRequest: false,
    supportsStartDebuggingRequest: false,
  });
  for (const command of ['runInTerminal', 'startDebugging', 'constructor']) {
    const asked = { seq: 5, type: 'request', command, arguments: { args: ['sh'] } } as const;
    expect(await between.fromAdapter(asked, async () => null)).toMatchObject({
      toClient: [],
      toAdapter: [{ type: 'response', request_seq: 5, command, success: false }],
    });
  }
  // Answers and events of a client's mean nothing.
  expect(between.fromClient(readMessage('{"seq":1,"type":"response","request_seq":5}'))).toEqual({
    toClient: [],
    toAdapter: [],
  });
});

test('statistics are left out, and what is told is numbered without gaps', async () => {
  const { hears, asks } = dialogue();
  expect(await hears(event('output', { category: 'telemetry', output: 'debugpy' }))).toEqual([]);
  expect(await hears(event('debugpySockets', { sockets: [] }))).toEqual([]);
  const told = [
    ...(await hears(event('initialized'))),
    ...asks('attach').toClient,
    ...(await hears(event('thread'))),
  ];
  expect(told.map(({ seq }) => seq)).toEqual([1, 2, 3]);
});

test('the limit that has ended a program is told before its end', async () => {
  const { hears } = dialogue();
  await hears(event('process'));
  const told = await hears(event('exited', { exitCode: 247 }), 'Memory limit exceeded');
  expect(told).toMatchObject([
    { event: 'output', body: { category: 'important', output: 'Memory limit exceeded\n' } },
    { event: 'exited', body: { exitCode: 247 } },
  ]);
});

test('exited and terminated are told once each, in that order, whatever the adapter says', async () => {
  const whole = dialogue();
  await whole.hears(event('process'));
  expect(named(await whole.hears(event('exited', { exitCode: 0 })))).toEqual(['exited']);
  expect(named(await whole.hears(event('terminated')))).toEqual(['terminated']);
  expect(await whole.gone()).toEqual([]);

  const silent = dialogue();
  await silent.hears(event('process'));
  expect(named(await silent.hears(event('terminated')))).toEqual(['exited', 'terminated']);

  const dead = dialogue();
  await dead.hears(event('process'));
  expect(named(await dead.gone('Memory limit exceeded'))).toEqual(['output', 'exited', 'terminated']);

  // There was no program that could have ended.
  expect(named(await dialogue().gone())).toEqual(['terminated']);
});

test('a disconnect is answered by the adapter, or for it', async () => {
  const well = dialogue();
  const { seq } = well.asks('disconnect').toAdapter[0]!;
  expect([well.between.isEnding, well.between.isOver]).toEqual([true, false]);
  await well.hears({ type: 'response', request_seq: seq, command: 'disconnect', success: true });
  expect(well.between.isOver).toBe(true);

  const ill = dialogue();
  ill.asks('disconnect');
  expect(await ill.gone()).toMatchObject([
    { event: 'terminated' },
    { type: 'response', request_seq: 1, command: 'disconnect', success: true },
  ]);
});

test.each([
  ['no JSON', '{'],
  ['no object', '[]'],
  ['no object', 'null'],
  ['seq is no integer', '{"type":"event","event":"x"}'],
  ['type is not', '{"seq":1,"type":"__proto__"}'],
  ['request without a name', '{"seq":1,"type":"request"}'],
  ['event without a name', '{"seq":1,"type":"event","event":{}}'],
  ['nested deeper', `{"seq":1,"type":"event","event":"x","body":${'['.repeat(500)}${']'.repeat(500)}}`],
])('%s: that is no message', (words, text) => {
  expect(() => readMessage(text)).toThrow(words);
});
