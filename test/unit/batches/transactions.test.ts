import { describe, expect, it } from 'vitest';
import { FileRefused, SandboxLost } from '../../../src/sandbox.ts';
import { pass, settle, standStill } from '../support/clock.ts';
import { openService, type ServiceOptions } from '../support/open-service.ts';
import { byName, cells, ends, runsOn } from '../support/scripts.ts';

standStill();

const write = (path: string, content = path) => ({ type: 'write_file', path, content });
const read = (path: string) => ({ type: 'read_file', path });
const shell = (commandName: string, more: object = {}) => ({ type: 'execute_shell', commandName, ...more });
const cell = (code: string, context = 'default') => ({ type: 'execute_code', code, context });
const transactional = true;

const script = byName({
  kernel: cells({ fail: () => ({ error: { name: 'ValueError', message: 'no', traceback: '' } }) }),
  sleep: runsOn,
  true: ends(),
});

async function open(options: ServiceOptions = {}) {
  const all = openService({ script, ...options });
  const opened = await all.session();
  const { files } = all.runtime.last;
  await files.write('/workspace/old', Buffer.from('old'));
  return { ...all, ...opened, files, names: () => [...files.contents.keys()] };
}

describe('a transactional batch', () => {
  it('keeps what was done when all of it succeeded', async () => {
    const { batch, files, names } = await open();
    const done = await batch({ commands: [write('a'), read('a')], transactional });
    expect(done).toMatchObject({ success: true, rolledBack: false, contextsRestarted: [] });
    expect([names(), files.transactions]).toEqual([
      ['/workspace/old', '/workspace/a'],
      ['begin', 'commit'],
    ]);
  });

  it.each([
    ['a failure', { stopOnError: true }],
    ['a failure that did not stop it', { stopOnError: false }],
    ['a failure of one of many at once', { parallel: true }],
  ])('is undone after %s', async (_, how) => {
    const { batch, files, names } = await open();
    const commands = [write('old', 'new'), read('none'), write('b')];
    const done = await batch({ commands, transactional, ...how });
    expect(done).toMatchObject({ success: false, rolledBack: true, contextsRestarted: [] });
    expect(done.completed).toBe('stopOnError' in how && how.stopOnError ? 2 : 3);
    expect([names(), files.text('/workspace/old')]).toEqual([['/workspace/old'], 'old']);
  });

  it.each([
    [
      'only what its commands touch where they touch files',
      [write('a'), { type: 'delete_file', path: 'old' }],
      'begin',
    ],
    ['the whole tree where a program runs', [write('a'), shell('true')], 'begin whole'],
    ['the whole tree where a cell runs', [cell('1')], 'begin whole'],
  ])('keeps %s', async (_, commands, begun) => {
    const { batch, files } = await open();
    await batch({ commands, transactional });
    expect(files.transactions).toEqual([begun, 'commit']);
  });

  it('restarts the contexts that ran a cell, and no other, when it is undone', async () => {
    const { batch, cell: run, runtime } = await open();
    await run('1', { context: 'other' });
    await run('1', { context: 'a' });
    const done = await batch({
      commands: [cell('1', 'a'), cell('1', 'b'), cell('fail', 'b')],
      transactional,
    });
    expect(done.contextsRestarted).toEqual(['a', 'b']);
    const killed = runtime.last.processes.map(({ kills }) => kills.some(({ keepRoot }) => !keepRoot));
    expect(killed).toEqual([false, true, true]);
  });

  it('ends the programs that it left in the background, and no others, when it is undone', async () => {
    const { batch, shell: run, runtime, service, call } = await open();
    const before = await run('sleep', { background: true });
    const done = await batch({
      commands: [shell('sleep', { background: true }), read('none')],
      transactional,
    });
    const status = async (result: object | null | undefined) =>
      (await service.executions.status((result as { executionId: string }).executionId, call())).status;
    expect(await status(done.results[0]?.result as object)).toBe('cancelled');
    expect(await status(before.result as object)).toBe('running');
    expect(runtime.last.processes).toHaveLength(2);
    const kept = await batch({ commands: [shell('sleep', { background: true })], transactional });
    expect(await status(kept.results[0]?.result as object)).toBe('running');
  });

  it('is undone when it is cancelled, and answers with what there is', async () => {
    const { batch, names, service, call } = await open();
    let executionId = '';
    const commands = [write('a'), shell('sleep'), write('b')];
    const done = batch(
      { commands, transactional },
      {},
      { onTaken: taken => (executionId = taken.executionId) },
    );
    await settle();
    expect(names()).toContain('/workspace/a');
    await service.executions.cancel(executionId, call());
    expect(await done).toMatchObject({ success: false, completed: 2, rolledBack: true });
    expect(names()).toEqual(['/workspace/old']);
  });

  it('is undone when nobody waits for it any more, before that is told', async () => {
    const { batch, names } = await open();
    const gone = new AbortController();
    const done = batch({ commands: [write('a'), shell('sleep')], transactional }, { signal: gone.signal });
    await settle();
    gone.abort();
    await expect(done).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(names()).toEqual(['/workspace/old']);
  });

  it.each([
    ['runs programs', [shell('true')]],
    ['writes files', [write('a')]],
    ['reads first', [read('old'), write('a')]],
  ])(
    'is refused before it starts where there is no room to keep what it may change and it %s',
    async (_, commands) => {
      const { batch, files, names, runtime } = await open();
      files.refuseToBegin = new FileRefused('No space left in the sandbox', 'full');
      const asked = batch({ commands, transactional });
      await expect(asked).rejects.toMatchObject({
        code: 'CONFLICT',
        field: 'transactional',
        message: 'transactional: No space left in the sandbox',
      });
      expect([names(), runtime.last.processes, files.transactions]).toEqual([['/workspace/old'], [], []]);
    },
  );

  it.each([
    ['its files can’t be put back', new FileRefused('d/f could not be put back')],
    ['its sandbox is lost', new SandboxLost('it was killed')],
  ])('ends its session, and says so, where %s', async (_, reason) => {
    const { batch, files, info } = await open();
    files.rollBack = async () => {
      throw reason;
    };
    await expect(batch({ commands: [read('none')], transactional })).rejects.toMatchObject({
      code: 'SESSION_CLOSED',
      message: `The session is over: its files could not be put back: ${reason.message}`,
    });
    await expect(info()).rejects.toMatchObject({ code: 'SESSION_NOT_FOUND', reason: 'lost' });
  });
});

describe('other commands of the session', () => {
  it('see nothing of a transaction before it has ended', async () => {
    const { batch, execute } = await open();
    const commands = [write('old', 'new'), shell('sleep', { timeout: 1 }), read('none')];
    const first = batch({ commands, transactional });
    const other = execute(read('old'), { lane: 'another' });
    const background = execute(shell('true', { background: true }));
    let seen = false;
    void other.then(() => (seen = true));
    await settle();
    expect(seen).toBe(false);
    await pass(1000);
    expect(await first).toMatchObject({ rolledBack: true });
    expect((await other).result).toMatchObject({ result: { content: 'old' } });
    expect((await background).result).toMatchObject({ success: true });
  });

  it('are over before it begins, and those that came later wait behind it', async () => {
    const { batch, execute, shell: run, begun } = await withLog();
    const first = run('sleep', { timeout: 1 });
    const second = batch({ commands: [write('a')], transactional });
    const third = execute(read('a'));
    await settle();
    expect(begun()).toEqual(['execute_shell']);
    await pass(1000);
    await Promise.all([first, second]);
    expect((await third).result).toMatchObject({ result: { content: 'a' } });
    expect(begun()).toEqual(['execute_shell', 'write_file', 'read_file']);
  });

  it('go on where a transaction that waits is cancelled', async () => {
    const { batch, execute, shell: run } = await open();
    const first = run('sleep', { timeout: 1 });
    const gone = new AbortController();
    const second = batch({ commands: [write('a')], transactional }, { signal: gone.signal });
    const third = execute(read('old'));
    second.catch(() => {});
    await settle();
    gone.abort();
    expect((await third).result).toMatchObject({ success: true });
    await expect(second).rejects.toMatchObject({ code: 'CANCELLED' });
    await pass(1000);
    await first;
  });

  it('are told that their session is gone when it is closed meanwhile', async () => {
    const { batch, execute, close } = await open();
    const first = batch({ commands: [shell('sleep')], transactional });
    const second = execute(read('old'));
    for (const each of [first, second]) each.catch(() => {});
    await settle();
    await close();
    await expect(first).rejects.toMatchObject({ code: 'SESSION_CLOSED' });
    await expect(second).rejects.toMatchObject({ code: expect.stringMatching(/^SESSION_/) });
  });
});

async function withLog() {
  const all = await open();
  return { ...all, begun: () => all.log.named('taken').flatMap(({ command }) => command ?? []) };
}
