import { expect, inject, test } from 'vitest';
import { DapClient } from '../support/dap-client.ts';
import { TestSession } from '../support/session.ts';

/**
 * What VS Code sends from the start of a debugger to its end, in its order and with its arguments, as the protocol's overview tells it
 * (https://microsoft.github.io/debug-adapter-protocol/overview), and what each is answered.
 */
const { url, wsUrl } = inject('server');
const CODE = 'def add(one, two):\n    return one + two\nfor i in range(2):\n    print(add(i, 40))\n';
const source = { name: 'main.py', path: '/workspace/main.py' };
const EDITOR = {
  clientID: 'vscode',
  clientName: 'Visual Studio Code',
  adapterID: 'debugpy',
  pathFormat: 'path',
  linesStartAt1: true,
  columnsStartAt1: true,
  supportsVariableType: true,
  supportsVariablePaging: true,
  supportsRunInTerminalRequest: true,
  supportsProgressReporting: true,
  supportsInvalidatedEvent: true,
  supportsMemoryReferences: true,
  supportsArgsCanBeInterpretedByShell: true,
  supportsMemoryEvent: true,
  supportsStartDebuggingRequest: true,
  locale: 'en',
};

test('a program is debugged by what VS Code sends', async () => {
  await using session = await TestSession.open(wsUrl, { language: 'python', runtimeType: 'Python' });
  await session.done('write_file', { path: 'main.py', content: CODE });
  const { url: path } = await session.client.call('debug.start', { sessionId: session.id });
  using client = await DapClient.connect(url.replace('http', 'ws') + path, { framed: true });

  const able = await client.ask('initialize', EDITOR);
  expect(able).toMatchObject({ supportsConfigurationDoneRequest: true });
  // Answered only once it is configured.
  const launched = client.say('launch', {
    type: 'debugpy',
    request: 'launch',
    name: 'In the sandbox',
    program: source.path,
    debugServer: 4711,
    __sessionId: '3fd0bd1a-5f8b-4d8e-9a5b-0f1a0c2f7f11',
  });
  await client.event('initialized');
  const { breakpoints } = await client.ask('setBreakpoints', {
    source,
    lines: [2],
    breakpoints: [{ line: 2 }],
    sourceModified: false,
  });
  expect(breakpoints).toMatchObject([{ line: 2, verified: true }]);
  if (able.supportsFunctionBreakpoints) await client.ask('setFunctionBreakpoints', { breakpoints: [] });
  await client.ask('setExceptionBreakpoints', { filters: ['uncaught'], filterOptions: [] });
  await client.ask('configurationDone');
  expect(await client.answer(launched)).toMatchObject({ success: true });
  await client.ask('threads');

  const { body: stop } = await client.event('stopped');
  expect(stop).toMatchObject({ reason: 'breakpoint', allThreadsStopped: true });
  const { threadId } = stop;
  const { threads } = await client.ask('threads');
  expect(threads).toMatchObject([{ id: threadId }]);
  // First the frame that is shown, then those below it.
  const top = await client.ask('stackTrace', { threadId, startFrame: 0, levels: 1 });
  expect(top.stackFrames).toMatchObject([{ name: 'add', line: 2, source: { path: source.path } }]);
  const below = await client.ask('stackTrace', { threadId, startFrame: 1, levels: 19 });
  expect(below.stackFrames).toMatchObject([{ line: 4 }]);
  const frameId = top.stackFrames[0].id;
  const { scopes } = await client.ask('scopes', { frameId });
  const { variablesReference } = scopes.find(({ expensive }: { expensive: boolean }) => !expensive);
  const { variables } = await client.ask('variables', { variablesReference });
  expect(variables).toEqual(
    expect.arrayContaining([expect.objectContaining({ name: 'two', value: '40', type: 'int' })]),
  );
  for (const context of ['watch', 'hover', 'repl'])
    expect(await client.ask('evaluate', { expression: 'one + two', frameId, context })).toMatchObject({
      result: '40',
    });

  const stepped = client.next('stopped');
  await client.ask('next', { threadId });
  expect((await stepped).body).toMatchObject({ reason: 'step', threadId });
  const again = client.next('stopped');
  await client.ask('continue', { threadId });
  await again;
  // Its reader takes the breakpoint away, and lets the program go on.
  await client.ask('setBreakpoints', { source, lines: [], breakpoints: [], sourceModified: false });
  await client.ask('continue', { threadId });
  expect((await client.event('exited')).body).toEqual({ exitCode: 0 });
  await client.event('terminated');
  await client.ask('disconnect', { restart: false });
  expect(await client.ended()).toEqual({ code: 1000, reason: '' });
  expect(client.output('stdout')).toBe('40\n41\n');
});
