import { describe, expect, inject, test } from 'vitest';
import { DapClient } from '../support/dap-client.ts';
import { matrix } from '../support/matrix.ts';
import { TestSession } from '../support/session.ts';

/** The cells of a context under a debugger, which their kernel outlives. */
const { url: base, wsUrl } = inject('server');
const cells = await matrix();
const rows = cells.filter(({ language }) => language === 'python');

describe.each(rows)('a debugger of cells in $name', ({ language, runtimeType }) => {
  test('stops in a function of a cell, and the kernel outlives it however it leaves', async () => {
    await using session = await TestSession.open(wsUrl, { language, runtimeType });
    const start = async () => {
      const { url } = await session.client.call('debug.start', { sessionId: session.id, context: 'default' });
      return DapClient.connect(base.replace('http', 'ws') + url);
    };
    const stop = async (client: DapClient) => {
      await client.launch({}, async () => {
        const breakpoints = [{ line: 3 }];
        const set = await client.ask('setBreakpoints', { source: { path: '<cell 1>' }, breakpoints });
        expect(set.breakpoints).toMatchObject([{ verified: true, line: 3 }]);
      });
      const cell = session.prints('print(f(20), kept)');
      const { body } = await client.event('stopped');
      expect(body.reason).toBe('breakpoint');
      const { stackFrames } = await client.ask('stackTrace', { threadId: body.threadId });
      expect(stackFrames).toMatchObject([
        { name: 'f', line: 3, source: { path: '<cell 1>' } },
        { name: '<module>', line: 1, source: { path: expect.stringMatching(/^<cell \d+>$/) } },
      ]);
      const { scopes } = await client.ask('scopes', { frameId: stackFrames[0].id });
      return { cell, variablesReference: scopes[0].variablesReference };
    };
    await session.prints('def f(x):\n    y = x + 1\n    return y * 2\nkept = 5');

    // One whose client goes before it has said what it is to stop at.
    using hasty = await start();
    await hasty.ask('initialize', { adapterID: 'test', pathFormat: 'path' });
    hasty.say('attach');
    await hasty.event('initialized');
    hasty.socket.terminate();
    expect(await session.prints('print(kept)')).toBe('5\n');

    using vanishing = await start();
    const held = await stop(vanishing);
    vanishing.socket.terminate();
    expect(await held.cell).toBe('42 5\n');

    using last = await start();
    await expect(start()).rejects.toThrow('The context has a debugger');
    const { cell, variablesReference } = await stop(last);
    await last.ask('setVariable', { variablesReference, name: 'y', value: '40' });
    await expect(last.ask('terminate')).rejects.toThrow('their context is restarted');
    await last.ask('disconnect', { terminateDebuggee: true });
    expect(await last.ended()).toEqual({ code: 1000, reason: '' });
    expect(await cell).toBe('80 5\n');
    expect(await session.prints('print(f(1), kept)')).toBe('4 5\n');
  });
});

test('cells of other languages are not debugged, and that is told', async () => {
  const row = cells.find(({ language }) => language === 'javascript')!;
  const { language, runtimeType } = row;
  await using session = await TestSession.open(wsUrl, { language, runtimeType });
  const asked = session.client.call('debug.start', { sessionId: session.id, context: 'default' });
  await expect(asked).rejects.toThrow('cells of JavaScript are not debugged');
});
