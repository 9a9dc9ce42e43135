import { expect, test } from 'vitest';
import { Dialogue } from '../../../src/service/debugging/dialogue.ts';
import type { Message } from '../../../src/service/debugging/message.ts';
import { debugpy } from '../../../src/toolchains/debugpy.ts';

/** What becomes of what a client says to a debugger of cells, whose kernel is to live on. */
function dialogue() {
  const between = new Dialogue(debugpy, () => '/workspace', true);
  let seq = 0;
  return {
    asks: (command: string, args?: unknown) =>
      between.fromClient({ seq: ++seq, type: 'request', command, arguments: args }),
    hears: async (message: object) =>
      (await between.fromAdapter({ seq: 99, ...message } as Message, async () => null)).toClient,
    gone: () => between.adapterGone(async () => null),
  };
}

test.each(['launch', 'attach'])('%s waits for the kernel, whatever the client would attach to', async how => {
  const { asks, hears } = dialogue();
  const { toAdapter } = asks(how, { processId: 1, connect: { host: '10.0.0.1', port: 1 }, program: 'x.py' });
  expect(toAdapter).toMatchObject([{ command: 'attach', arguments: debugpy.cells!.attach }]);
  expect(toAdapter[0]!.arguments).toBe(debugpy.cells!.attach);
  const answer = { type: 'response', request_seq: 1, command: 'attach', success: true };
  expect(await hears(answer)).toMatchObject([{ command: how, request_seq: 1, success: true }]);
});

test('nothing that a client asks ends the kernel', async () => {
  const { asks, hears } = dialogue();
  expect(asks('terminate')).toMatchObject({ toAdapter: [], toClient: [{ success: false }] });
  const { toAdapter } = asks('disconnect', { terminateDebuggee: true, restart: true });
  expect(toAdapter[0]!.arguments).toEqual({ terminateDebuggee: false, restart: false });
  const body = { supportsTerminateRequest: true, supportTerminateDebuggee: true };
  const [initialized] = await hears({
    type: 'response',
    request_seq: 9,
    command: 'initialize',
    success: true,
    body,
  });
  expect(initialized!.body).toMatchObject({
    supportsTerminateRequest: false,
    supportTerminateDebuggee: false,
  });
});

test('a debugger that goes ends no program', async () => {
  const { hears, gone } = dialogue();
  await hears({ type: 'event', event: 'process', body: { name: 'kernel.py' } });
  expect((await gone()).map(({ event }) => event)).toEqual(['terminated']);
});
