import { describe, expect, it } from 'vitest';
import type { FileEvent } from '../../../src/schemas/file-events.ts';
import type { OpenedWatch } from '../../../src/service/service.ts';
import { KERNELS } from '../../../src/toolchains/toolchain.ts';
import { pass, settle, standStill } from '../support/clock.ts';
import type { Ended, Scripted } from '../support/memory-process.ts';
import { openDoor } from '../support/open-door.ts';
import { openService } from '../support/open-service.ts';
import { byName, runsOn } from '../support/scripts.ts';

standStill();

/** The agent's `watch` as a test plays it: the newest one, and how it ends. */
class Played {
  program!: Scripted;
  readonly #ended = Promise.withResolvers<Ended>();

  readonly script = byName({
    [`${KERNELS}/agent`]: (_, program) => {
      this.program = program;
      return this.#ended.promise;
    },
    sleep: runsOn,
  });

  /** Tells records: their letter and path, and of what was renamed its new path. */
  async tells(...records: string[]): Promise<void> {
    await this.program.print(records.map(record => `${record}\0`).join(''));
    await settle();
  }

  ends(end: Ended): Promise<void> {
    this.#ended.resolve(end);
    return settle();
  }
}

const shown = ({ params: { type, path, newPath, message } }: FileEvent) =>
  [type, path, ...(newPath ? [newPath] : []), ...(message ? [`(${message})`] : [])].join(' ');

/** A session with a watch, and all that it tells. */
async function watching({ path = undefined as string | undefined, owner = null as string | null } = {}) {
  const played = new Played();
  const all = openService({ script: played.script });
  const session = await all.session({}, { owner });
  const told: string[] = [];
  let room: Promise<void> | undefined;
  const gone = new AbortController();
  const opening = all.service.watches.open(
    { sessionId: session.id, path },
    all.call({ owner }),
    event => {
      told.push(shown(event));
      return room;
    },
    gone.signal,
  );
  opening.catch(() => {});
  await settle();
  return {
    ...all,
    ...session,
    played,
    told,
    opening,
    gone,
    jam: () => {
      const jammed = Promise.withResolvers<void>();
      room = jammed.promise;
      return jammed.resolve;
    },
    async open(): Promise<OpenedWatch> {
      await played.tells('s');
      const opened = await opening;
      opened.start();
      return opened;
    },
  };
}

describe('a watch', () => {
  it('tells what becomes of files by absolute paths, and at last why it is over', async () => {
    const { played, open, told } = await watching({ path: 'src' });
    await open();
    await played.tells('ca.py', 'ma.py', 'ra.py', 'b/c.py', 'db', 'o', 'd');
    await played.ends({});
    expect(played.program.spec.argv.slice(1)).toEqual([
      'watch',
      '/workspace',
      '/workspace/src',
      '0',
      expect.stringMatching(/^\d+$/),
    ]);
    expect(told).toEqual([
      'created /workspace/src/a.py',
      'modified /workspace/src/a.py',
      'renamed /workspace/src/a.py /workspace/src/b/c.py',
      'deleted /workspace/src/b',
      'overflow /workspace/src',
      'deleted /workspace/src',
      'ended /workspace/src (What was watched is gone)',
    ]);
  });

  it('tells nothing before it is started, and all of it then', async () => {
    const { played, opening, told } = await watching();
    await played.tells('s', 'ca');
    expect(told).toEqual([]);
    (await opening).start();
    await settle();
    expect(told).toEqual(['created /workspace/a']);
  });

  it('is refused with the agent’s reason', async () => {
    const { played, opening } = await watching({ path: 'none' });
    await played.program.print('File not found: /workspace/none\n', 'stderr');
    await played.ends({ code: 1 });
    await expect(opening).rejects.toMatchObject({
      code: 'COMMAND_FAILED',
      message: 'File not found: /workspace/none',
    });
  });

  it.each(['/etc', '../x', 'a\0b'])('is refused a path such as %j at once', async path => {
    const { opening, played } = await watching({ path });
    await expect(opening).rejects.toMatchObject({ code: 'VALIDATION_ERROR', field: 'path' });
    expect(played.program).toBeUndefined();
  });

  it('ends by a signal, which ends nothing that others have left running', async () => {
    const { open, service, call, runtime, told, played } = await watching();
    const { watchId } = await open();
    await service.watches.close(watchId, call());
    const [process] = runtime.last.processes;
    expect([process!.signals, process!.kills]).toEqual([['SIGKILL'], []]);
    await played.tells('ca');
    expect(told).toEqual([]);
    await expect(service.watches.close(watchId, call())).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('ends with who opened it', async () => {
    const { open, gone, runtime, told } = await watching();
    await open();
    gone.abort();
    await settle();
    expect(runtime.last.processes[0]!.runs).toBe(false);
    expect(told).toEqual([]);
  });

  it('is told to be over when its session ends or its program is killed', async () => {
    const one = await watching();
    await one.open();
    await one.close();
    await settle();
    expect(one.told).toEqual(['ended /workspace (The session has ended)']);
    const other = await watching();
    await other.open();
    await other.played.ends({ signal: 'SIGKILL' });
    expect(other.told).toEqual(['ended /workspace (The watching program was ended)']);
  });

  it.each(['x', 'c'.repeat(40_000)])('ends when its program says what is no record', async text => {
    const { open, played, told, runtime } = await watching();
    await open();
    await played.program.print(text.length > 1 ? text : `${text}\0`);
    await settle();
    expect(told).toEqual(['ended /workspace (The watching program was ended)']);
    expect(runtime.last.processes[0]!.runs).toBe(false);
  });

  it('waits for who reads it, and its program with it', async () => {
    const { open, played, told, jam } = await watching();
    await open();
    const go = jam();
    let printed = false;
    await played.program.print('cf\0');
    const much = played.program.print(`c${'p'.repeat(200)}\0`.repeat(3000)).then(() => (printed = true));
    await pass(1000);
    expect([told.length, printed]).toEqual([1, false]);
    go();
    await pass(1000);
    await much;
    expect(told.length).toBe(3001);
  });

  it('tells no more in a moment than an install makes', async () => {
    const { open, played, told } = await watching();
    await open();
    void played.program.print('cf\0'.repeat(1000));
    await settle();
    expect(told.length).toBe(256);
    await pass(10);
    expect(told.length).toBe(512);
  });

  it('is one of sixteen of its session, those being opened included', async () => {
    const { service, call, id, open } = await watching();
    await open();
    const more = Array.from({ length: 15 }, () => service.watches.open({ sessionId: id }, call()));
    for (const each of more) each.catch(() => {});
    await settle();
    await expect(service.watches.open({ sessionId: id }, call())).rejects.toMatchObject({
      code: 'CONFLICT',
      message: 'The session has 16 watches, the most allowed',
    });
  });

  it('is nobody else’s', async () => {
    const { open, service, call, id } = await watching({ owner: 'me' });
    const { watchId } = await open();
    const other = call({ owner: 'other' });
    await expect(service.watches.close(watchId, other)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(service.watches.open({ sessionId: id }, other)).rejects.toMatchObject({
      code: 'SESSION_NOT_FOUND',
    });
  });

  it('keeps no session from being idle', async () => {
    const played = new Played();
    const all = openService({ script: played.script });
    const { id, info } = await all.session({ idleTimeoutMinutes: 1 });
    const opening = all.service.watches.open({ sessionId: id }, all.call());
    await settle();
    await played.tells('s');
    (await opening).start();
    await played.tells('ca');
    await pass(62_000);
    await expect(info()).rejects.toMatchObject({ code: 'SESSION_NOT_FOUND' });
  });
});

describe('fs.watch', () => {
  it('tells after its answer, until fs.unwatch, and on /ws/status too', async () => {
    const played = new Played();
    const { ask, begin, answerTo, received, service, call } = openDoor({ script: played.script });
    const { sessionId } = (await ask('session.create', { language: 'python' })).result;
    const followed: unknown[] = [];
    const events = await service.status.follow({ subscribe: ['fs.changed'] }, call());
    void (async () => {
      for await (const { event } of events) followed.push(event);
    })();
    const id = await begin('fs.watch', { sessionId, recursive: true });
    await played.tells('s', 'ca');
    const { watchId } = answerTo(id).result;
    const params = { watchId, sessionId, type: 'created', path: '/workspace/a' };
    expect(received.slice(-2)).toEqual([answerTo(id), { jsonrpc: '2.0', method: 'fs.changed', params }]);
    expect(followed).toEqual([{ method: 'fs.changed', params }]);
    expect((await ask('fs.unwatch', { watchId })).result).toEqual({ watchId });
    expect((await ask('fs.unwatch', { watchId })).error.data).toEqual({ code: 'NOT_FOUND' });
  });

  it('ends with its connection, and over HTTP with its session', async () => {
    const played = new Played();
    const { ask, begin, connection, join, runtime } = openDoor({ script: played.script });
    const { sessionId } = (await ask('session.create', { language: 'python' })).result;
    const overHttp = join({ live: false }).ask('fs.watch', { sessionId });
    await settle();
    await played.tells('s');
    await overHttp;
    await begin('fs.watch', { sessionId });
    await played.tells('s');
    connection.close();
    await settle();
    expect(runtime.last.processes.map(({ runs }) => runs)).toEqual([true, false]);
  });
});
