import { describe, expect, it } from 'vitest';
import { parseCommand } from '../../../src/commands/parse.ts';
import type { Call } from '../../../src/service/call.ts';
import { Lanes, laneOf } from '../../../src/service/sessions/lanes.ts';
import { pass, settle, standStill } from '../support/clock.ts';
import { openService } from '../support/open-service.ts';
import { byName, cells, ends, runsOn } from '../support/scripts.ts';

standStill();

const forever = new AbortController().signal;

/** A task that can be told to end, and what it has done. */
function task(name: string, done: string[]) {
  const gate = Promise.withResolvers<void>();
  return {
    run: async () => {
      done.push(name);
      await gate.promise;
      return name;
    },
    end: () => gate.resolve(),
    fail: () => gate.reject(new Error(name)),
  };
}

describe('a lane', () => {
  it('runs its tasks one after the other, in the order given', async () => {
    const lanes = new Lanes();
    const done: string[] = [];
    const tasks = ['a', 'b', 'c'].map(name => task(name, done));
    const results = tasks.map(({ run }) => lanes.run(['lane'], forever, run));
    await settle();
    expect(done).toEqual(['a']);
    tasks[1]?.end();
    tasks[0]?.end();
    await settle();
    expect(done).toEqual(['a', 'b', 'c']);
    tasks[2]?.end();
    expect(await Promise.all(results)).toEqual(['a', 'b', 'c']);
  });

  it('runs beside others', async () => {
    const lanes = new Lanes();
    const done: string[] = [];
    void lanes.run(['a'], forever, task('a', done).run);
    void lanes.run(['b'], forever, task('b', done).run);
    await settle();
    expect(done).toEqual(['a', 'b']);
  });

  it('goes on after a task that fails', async () => {
    const lanes = new Lanes();
    const [first, second] = [task('a', []), task('b', [])];
    const failing = lanes.run(['lane'], forever, first.run);
    const next = lanes.run(['lane'], forever, second.run);
    first.fail();
    second.end();
    await expect(failing).rejects.toThrow('a');
    expect(await next).toBe('b');
  });

  it('answers one that is aborted while it waits at once, and never runs it', async () => {
    const lanes = new Lanes();
    const done: string[] = [];
    const first = task('a', done);
    void lanes.run(['lane'], forever, first.run);
    const gone = new AbortController();
    const waiting = lanes.run(['lane'], gone.signal, task('b', done).run);
    const behind = lanes.run(['lane'], forever, async () => done.push('c'));
    gone.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(done).toEqual(['a']);
    first.end();
    await behind;
    expect(done).toEqual(['a', 'c']);
  });

  it('leaves one that is aborted while it runs to itself', async () => {
    const lanes = new Lanes();
    const [first, second] = [task('a', []), task('b', [])];
    const before = lanes.run(['lane'], forever, first.run);
    const gone = new AbortController();
    const running = lanes.run(['lane'], gone.signal, second.run);
    first.end();
    await before;
    await settle();
    gone.abort();
    second.end();
    expect(await running).toBe('b');
  });

  it('never runs one whose call is over already', async () => {
    const lanes = new Lanes();
    const done: string[] = [];
    await expect(lanes.run(['lane'], AbortSignal.abort(), task('a', done).run)).rejects.toMatchObject({
      code: 'CANCELLED',
    });
    expect(done).toEqual([]);
  });
});

describe('the lane of a command', () => {
  const lane = (command: object, of: string | null = 'connection') =>
    laneOf('session', parseCommand(command), { lane: of } as Call);
  const cell = { type: 'execute_code', code: 'x' };
  const shell = { type: 'execute_shell', commandName: 'x' };
  const usual = lane(cell);

  it.each([
    ['a shell command', shell],
    ['a file’s', { type: 'read_file', path: 'a' }],
    ['a cell of the default context', { ...cell, context: 'default' }],
    ['a restart', { type: 'restart_context' }],
    ['one that is not in the background', { ...shell, background: false }],
  ])('is the usual one for %s', (_what, command) => {
    expect(lane(command)).toBe(usual);
  });

  it.each([
    ['a cell of another context', { ...cell, context: 'other' }],
    ['a restart of another context', { type: 'restart_context', context: 'other' }],
  ])('is another for %s', (_what, command) => {
    expect(lane(command)).not.toBe(usual);
    expect(lane(command)).not.toBeNull();
  });

  it('is none for a command in the background, and where nothing waits', () => {
    expect([lane({ ...shell, background: true }), lane(cell, null)]).toEqual([null, null]);
  });

  it('is another for each connection and each session', () => {
    const ofOther = laneOf('other', parseCommand(cell), { lane: 'connection' } as Call);
    expect(new Set([usual, lane(cell, 'another'), ofOther]).size).toBe(3);
  });
});

describe('commands of one lane to one session', () => {
  const script = byName({
    kernel: cells({ hang: ({ killed }) => new Promise(r => killed.addEventListener('abort', () => r({}))) }),
    sleep: runsOn,
    true: ends(),
  });
  const open = async () => {
    const all = openService({ script });
    const opened = await all.session({}, { lane: 'one' });
    const begun = () => all.log.named('taken').map(({ command }) => command);
    return { ...all, ...opened, begun };
  };

  it('run in the order in which they were called', async () => {
    const { shell, execute, begun } = await open();
    const first = shell('sleep', { timeout: 1 });
    const second = execute({ type: 'list_directory' });
    await settle();
    expect(begun()).toEqual(['execute_shell']);
    await pass(1000);
    await Promise.all([first, second]);
    expect(begun()).toEqual(['execute_shell', 'list_directory']);
  });

  it('do not hold up one in the background', async () => {
    const { shell } = await open();
    void shell('sleep');
    expect(await shell('sleep', { background: true })).toMatchObject({ success: true });
  });

  it('do not hold up those of another lane', async () => {
    const { shell } = await open();
    void shell('sleep');
    expect(await shell('true', {}, { lane: 'two' })).toMatchObject({ success: true });
  });

  it('do not hold up cells of another context', async () => {
    const { cell } = await open();
    void cell('hang');
    expect(await cell('x', { context: 'b' })).toMatchObject({ success: true });
  });

  it('call for room only when their turn has come', async () => {
    const { shell, execute } = await open();
    const asked: string[] = [];
    const room = (name: string) => ({ beforeStart: async () => void asked.push(name) });
    const first = execute({ type: 'execute_shell', commandName: 'sleep', timeout: 1 }, {}, room('a'));
    const second = execute({ type: 'list_directory' }, {}, room('b'));
    await settle();
    expect(asked).toEqual(['a']);
    await pass(1000);
    await Promise.all([first, second, shell('true')]);
    expect(asked).toEqual(['a', 'b']);
  });

  it('do not begin where a door finds no room for their answer', async () => {
    const { execute, shell, begun } = await open();
    const refused = execute(
      { type: 'list_directory' },
      {},
      {
        beforeStart: async () => {
          throw new Error('gone');
        },
      },
    );
    await expect(refused).rejects.toThrow('gone');
    expect(begun()).toEqual([]);
    expect(await shell('true')).toMatchObject({ success: true });
  });

  it('are told that their session is gone when it is closed before their turn', async () => {
    const { shell, execute, close } = await open();
    const first = shell('sleep');
    const second = execute({ type: 'list_directory' });
    await settle();
    await close();
    expect(await first).toMatchObject({ result: { outcome: 'cancelled' } });
    await expect(second).rejects.toMatchObject({ code: expect.stringMatching(/^SESSION_/) });
  });
});
