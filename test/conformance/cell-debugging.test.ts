import { describe, expect, inject, test } from 'vitest';
import { DapClient } from '../support/dap-client.ts';
import { matrix } from '../support/matrix.ts';
import { TestSession } from '../support/session.ts';

/** The cells of a context under a debugger, which their kernel outlives. */
const { url: base, wsUrl } = inject('server');
const cells = await matrix();
const rows = cells.filter(({ language }) => language === 'python');

describe.each(rows)('a debugger of cells in $name', ({ language, runtimeType }) => {
  test('stops in a function of a cell for longer than a cell may take, and the kernel lives on', async () => {
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
      const cell = session.prints('print(f(20), kept)', { timeout: 1 });
      const { body } = await client.event('stopped');
      expect(body.reason).toBe('breakpoint');
      const { threadId } = body;
      const { stackFrames } = await client.ask('stackTrace', { threadId });
      const places = stackFrames.map(
        ({ name, line, source }: { name: string; line: number; source: { path: string } }) => [
          name,
          source.path,
          line,
        ],
      );
      expect(places).toEqual([
        ['f', '<cell 1>', 3],
        ['<module>', expect.stringMatching(/^<cell \d+>$/), 1],
      ]);
      const { scopes } = await client.ask('scopes', { frameId: stackFrames[0].id });
      return { cell, threadId, variablesReference: scopes[0].variablesReference };
    };
    await session.prints('def f(x):\n    y = x + 1\n    return y * 2\nkept = 5');

    using first = await start();
    await expect(start()).rejects.toThrow('The context has a debugger');
    const stopped = await stop(first);
    await first.ask('setVariable', {
      variablesReference: stopped.variablesReference,
      name: 'y',
      value: '40',
    });
    // Its time limit is over by then.
    await session.shell('sleep', ['1.2']);
    await expect(first.ask('terminate')).rejects.toThrow('their context is restarted');
    await first.ask('disconnect', { terminateDebuggee: true });
    expect(await first.ended()).toEqual({ code: 1000, reason: '' });
    expect(await stopped.cell).toBe('80 5\n');

    // A client that vanishes lets the cell go on, and leaves nothing behind that would stop the next.
    using second = await start();
    const held = await stop(second);
    second.socket.terminate();
    expect(await held.cell).toBe('42 5\n');
    using third = await start();
    await stop(third);
    await third.ask('disconnect');
    await third.ended();
    expect(await session.prints('print(f(1), kept)')).toBe('4 5\n');
    const endless = await session.cell('while True: pass', { timeout: 1 });
    expect(endless.result.outcome).toBe('wall_timeout');
  });
});

test('cells of other languages are not debugged, and that is told', async () => {
  const row = cells.find(({ language }) => language === 'javascript')!;
  const { language, runtimeType } = row;
  await using session = await TestSession.open(wsUrl, { language, runtimeType });
  const asked = session.client.call('debug.start', { sessionId: session.id, context: 'default' });
  await expect(asked).rejects.toThrow('cells of JavaScript are not debugged');
});
