import { describe, expect, it } from 'vitest';
import { parseCommand } from '../../../src/commands/parse.ts';
import { chainLength } from '../../../src/service/sessions/chains.ts';
import { openService, readAll } from '../support/open-service.ts';

const write = (path: string, content = path) => ({ type: 'write_file', path, content });
const copy = (sourcePath: string, destinationPath: string) => ({
  type: 'copy_file',
  sourcePath,
  destinationPath,
});
const read = (path: string) => ({ type: 'read_file', path });

describe('a chain', () => {
  const length = (commands: object[], from = 0) =>
    chainLength(
      commands.map(each => parseCommand(each)),
      from,
    );

  it('goes on until a command whose answer comes in pieces, or that runs something', () => {
    const commands = [write('a'), copy('a', 'b'), read('b'), write('c')];
    expect([0, 1, 2, 3].map(from => length(commands, from))).toEqual([2, 1, 0, 1]);
    expect(length([{ type: 'execute_code', code: 'x' }, write('a')])).toBe(0);
  });

  it('has no large write among others, and not many of anything', () => {
    const large = write('a', 'x'.repeat(30_000));
    expect(length([write('a'), large, write('b')])).toBe(1);
    expect(length([large, write('b')])).toBe(0);
    expect(length(Array.from({ length: 200 }, () => write('a')))).toBe(128);
    expect(length(Array.from({ length: 60 }, () => write('a', 'x'.repeat(10_000))))).toBe(26);
  });
});

describe('file commands of a batch', () => {
  async function open() {
    const all = openService();
    const opened = await all.session();
    return { ...opened, files: all.runtime.last.files };
  }

  it('are done in order without waiting for one another', async () => {
    const { batch, files } = await open();
    const asked: string[] = [];
    for (const name of ['write', 'copy', 'move'] as const) {
      const act = files[name].bind(files) as (...args: unknown[]) => Promise<never>;
      files[name] = async (...args: unknown[]) => {
        asked.push(name);
        const done = await act(...args);
        asked.push('done');
        return done;
      };
    }
    const commands = [write('a'), copy('a', 'b'), { type: 'move_file', source: 'b', destination: 'c' }];
    expect(await batch({ commands })).toMatchObject({ success: true, completed: 3 });
    expect(asked).toEqual(['write', 'copy', 'move', 'done', 'done', 'done']);
    expect([...files.contents.keys()]).toEqual(['/workspace/a', '/workspace/c']);
  });

  it('end with the first that fails, and the rest leave no trace', async () => {
    const { batch, files, info, events, close } = await open();
    const reading = readAll(await events());
    const commands = [write('a'), copy('none', 'b'), write('c'), write('d')];
    const done = await batch({ commands }, {}, { stream: true });
    expect(done).toMatchObject({ success: false, completed: 2 });
    expect(done.results.map(each => each?.success ?? null)).toEqual([true, false, null, null]);
    expect([...files.contents.keys()]).toEqual(['/workspace/a']);
    expect(await info()).toMatchObject({ executionCount: 2, state: 'Idle' });
    await close();
    const told = (await reading).filter(({ method }) => method === 'execution.completed');
    expect(told).toHaveLength(3);
  });

  it('all have their turn where failures are no reason to stop', async () => {
    const { batch } = await open();
    const commands = [copy('none', 'b'), write('c'), read('c')];
    const done = await batch({ commands, stopOnError: false });
    expect(done.results.map(each => each?.success ?? null)).toEqual([false, true, true]);
  });
});
