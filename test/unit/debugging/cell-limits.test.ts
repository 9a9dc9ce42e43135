import { expect, test } from 'vitest';
import type { DebugEnd } from '../../../src/service/service.ts';
import { ContentLengthReader, framed } from '../../../src/wire/content-length.ts';
import { pass, settle, standStill } from '../support/clock.ts';
import type { Script } from '../support/memory-process.ts';
import { openService } from '../support/open-service.ts';
import { byName, cellError } from '../support/scripts.ts';

standStill();

/** A kernel of cells that last until they are interrupted, end at once, or end it; and whether it answers who has it connect. */
const kernel =
  (connects: boolean): Script =>
  async (_, program) => {
    program.control({ ready: true });
    for await (const { cell, code, debug } of program.requests()) {
      if (debug && connects) program.control({ debugged: true });
      if (code === 'die') return { code: 1 };
      if (code === 'ok') program.control({ cell, done: true, error: null });
      const error = cellError('KeyboardInterrupt');
      if (code === 'hang') program.on('SIGINT', () => program.control({ cell, done: true, error }));
    }
    return {};
  };

/** An adapter that waits for a kernel as often as it is asked to. */
const adapter: Script = async (_, { typed, print }) => {
  const reader = new ContentLengthReader();
  const waits = { seq: 1, type: 'event', event: 'debugpyWaitingForServer', body: { port: 5 } };
  for await (const piece of typed())
    for (const _asked of reader.push(piece)) await print(framed(JSON.stringify(waits)));
  return {};
};

async function open({ connects = true } = {}) {
  const all = openService({
    settings: { maxConcurrency: 1 },
    adapters: { show: async () => '/packages/x/python' },
    capabilities: { layers: true },
    script: byName({ kernel: kernel(connects), other: adapter }),
  });
  const session = await all.session();
  const start = (context: string) =>
    all.service.debugging.start({ sessionId: session.id, context }, all.call());
  /** Debugs a context's cells, unless the kernel is busy. */
  const debug = async (context = 'default') => {
    const connection = await all.service.debugging.join((await start(context)).debugId, all.call());
    const end: Promise<DebugEnd> = connection.carry(async () => {});
    const attach = () => connection.send('{"seq":1,"type":"request","command":"attach"}');
    await attach();
    await settle();
    return { attach, end, leave: () => connection.close() };
  };
  const cell = (code: string, context = 'default') => {
    let outcome: unknown = 'running';
    const ended = session.cell(code, { timeout: 1, context }).then(({ result }) => {
      outcome = (result as { outcome: string }).outcome;
    });
    return { ended, outcome: () => outcome };
  };
  const told = () => all.runtime.last.processes.flatMap(process => process.told);
  return { ...all, start, debug, cell, told };
}

test('a debugged cell lasts as long as its debugger is there, in nobody’s place, and has its limit from then on', async () => {
  const { debug, cell } = await open();
  const { leave } = await debug();
  const held = cell('hang');
  await pass(10_000);
  const other = cell('ok', 'other');
  await other.ended;
  expect([held.outcome(), other.outcome()]).toEqual(['running', 'ok']);
  leave();
  await pass(999);
  expect(held.outcome()).toBe('running');
  await pass(1);
  expect(held.outcome()).toBe('wall_timeout');
});

test('a debugger that leaves a cell behind is counted until that has ended, so that leaving is no way to more', async () => {
  const { debug, cell, start } = await open();
  const held = [];
  for (const context of ['a', 'b', 'c', 'd']) {
    const { leave } = await debug(context);
    held.push(cell('hang', context));
    await settle();
    leave();
  }
  await expect(start('e')).rejects.toMatchObject({ code: 'CONFLICT' });
  await pass(1000);
  expect(held.map(({ outcome }) => outcome())).toEqual(Array(4).fill('wall_timeout'));
  for (const context of ['a', 'b', 'c', 'd']) await start(context);
});

test('a kernel that takes the place of one that was debugged is not', async () => {
  const { debug, cell } = await open();
  await debug();
  await cell('die').ended;
  const next = cell('hang');
  await pass(1000);
  expect(next.outcome()).toBe('wall_timeout');
});

test('a debugger that leaves before a cell has ended is never connected to', async () => {
  const { debug, cell, told } = await open();
  const running = cell('hang');
  await settle();
  const { leave } = await debug();
  leave();
  await pass(1000);
  expect(running.outcome()).toBe('wall_timeout');
  await cell('ok').ended;
  expect(told().some(request => 'debug' in request)).toBe(false);
});

test('a kernel that does not connect holds its context for half a minute', async () => {
  const { debug, cell } = await open({ connects: false });
  const { end } = await debug();
  const waiting = cell('ok');
  await pass(29_999);
  expect(waiting.outcome()).toBe('running');
  await pass(1);
  expect(waiting.outcome()).toBe('ok');
  expect(await end).toEqual({ how: 'adapter_died', words: expect.stringContaining('connected') });
});

test('an adapter that waits for a second kernel is no adapter', async () => {
  const { debug } = await open();
  const { attach, end } = await debug();
  await attach();
  expect(await end).toEqual({ how: 'adapter_died', words: expect.stringContaining('second kernel') });
});
