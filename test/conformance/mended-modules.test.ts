import { describe, expect, inject, test } from 'vitest';
import { lentSession } from '../support/lent-session.ts';
import { runtimes } from '../support/matrix.ts';

/** A module that could not be loaded is loaded by the next cell once it can be. */
const server = inject('server');
const cells = (await runtimes()).filter(({ runtimeType }) => runtimeType !== 'Python');

describe.for(cells)('a session of JavaScript on $runtimeType', ({ runtimeType }) => {
  test('loads afresh what was broken, not there, removed, or behind a link', async () => {
    await using session = await lentSession(server.wsUrl, { language: 'javascript', runtimeType });
    const write = (path: string, content: string) => session.done('write_file', { path, content });
    const link = (target: string) => session.shell('ln', ['-sf', target, 'link.mjs']);
    const of = async (path: string) => {
      const code = `await import('./${path}').then(({ v }) => v, error => 'failed')`;
      return (await session.done('execute_code', { code })).results[0]['text/plain'].replaceAll(/['"]/g, '');
    };

    await write('top.mjs', `export { v } from './middle.mjs'`);
    await write('middle.mjs', `export * from './part.mjs'`);
    expect(await of('top.mjs')).toBe('failed');
    await write('part.mjs', 'export const v = ;');
    expect(await of('top.mjs')).toBe('failed');
    for (const content of ['throw new Error("not yet"); export const v = 0', 'export const other = 0']) {
      await write('part.mjs', content);
      expect(await of('top.mjs')).toBe('failed');
    }
    await write('part.mjs', 'export const v = 1');
    expect(await of('top.mjs')).toBe('1');
    await session.done('delete_file', { path: 'part.mjs' });
    expect(await of('top.mjs')).toBe('failed');
    await write('part.mjs', 'export const v = 2');
    expect(await of('top.mjs')).toBe('2');

    await write('one.mjs', 'export const v = 3');
    await write('other.mjs', 'export const v = 4');
    await link('one.mjs');
    expect(await of('link.mjs')).toBe('3');
    await link('other.mjs');
    expect(await of('link.mjs')).toBe('4');

    await write('data.json', '{ "v": 5 }');
    expect(await session.prints(`console.log(require('./data.json').v)`)).toBe('5\n');
    await write('data.json', '{ "v": 6 }');
    const both = `import data from './data.json' with { type: 'json' }; console.log(require('./data.json').v, data.v)`;
    expect(await session.prints(both)).toBe('6 6\n');
  });

  test('keeps the state of modules that were loaded before one failed', async () => {
    await using session = await lentSession(server.wsUrl, { language: 'javascript', runtimeType });
    const write = (path: string, content: string) => session.done('write_file', { path, content });
    await write('state.mjs', 'export let count = 0; export const add = () => ++count;');
    await write('broken.mjs', `import './state.mjs'; import './gone.mjs'`);
    const add = `(await import('./state.mjs')).add()`;
    await session.prints(add);
    await session.cell(`await import('./broken.mjs')`);
    expect((await session.done('execute_code', { code: add })).results).toEqual([{ 'text/plain': '2' }]);
  });
});
