import { describe, expect, inject, test } from 'vitest';
import { lentSession } from '../support/lent-session.ts';
import { matrix } from '../support/matrix.ts';
import { sharedSession } from '../support/shared-session.ts';

/** Cells of JavaScript may name things as they like: nothing that runs the next one depends on it. */
const server = inject('server');
const cells = (await matrix()).filter(({ dialect }) => dialect === 'javascript');

const GLOBALS =
  'URL Buffer Set Map JSON Object Array Promise Symbol RegExp String Number Error WeakMap process console globalThis'.split(
    ' ',
  );
const NEXT = {
  javascript: 'class K { x = 5 } const { x, ...rest } = new K(); x',
  typescript:
    'const n: number = 5; enum E { A = n } class K { @((v: any, c: any) => {}) m() {} accessor x = 1 } E.A',
};

describe.for(cells)('$name', ({ language, runtimeType }) => {
  const open = () => lentSession(server.wsUrl, { language, runtimeType });
  const shared = sharedSession(server.wsUrl, { language, runtimeType });

  test('goes on after a cell that named its own things as globals are named', async () => {
    await using session = await open();
    const declared = GLOBALS.map((name, i) => `${i % 2 ? 'const' : 'let'} ${name} = 'mine'`).join('; ');
    expect(await session.cell(`${declared}; URL + JSON`)).toMatchObject({ success: true });
    const { success, result } = await session.cell(NEXT[language as keyof typeof NEXT]);
    expect({ success, results: result.results }).toEqual({ success: true, results: [{ 'text/plain': '5' }] });
    expect((await session.cell('nosuchname')).error).toContain('nosuchname');
    expect((await session.done('execute_code', { code: 'URL === "mine" ? 7 : 0' })).results).toEqual([
      { 'text/plain': '7' },
    ]);
  });

  test('goes on after a cell that froze what errors are made by', async () => {
    await using session = await open();
    await session.cell('Object.freeze(Error); Object.freeze(Error.prototype)');
    expect((await session.done('execute_code', { code: '6' })).results).toEqual([{ 'text/plain': '6' }]);
  });

  test('takes a first line that names an interpreter', async () => {
    const session = await shared();
    const { results } = await session.done('execute_code', { code: '#!/usr/bin/env node\n8 // eight' });
    expect(results).toEqual([{ 'text/plain': '8' }]);
  });

  if (language !== 'typescript') return;
  test('imports values and types in one line', async () => {
    const session = await shared();
    const content =
      'export enum Kind { A = "a" }\nexport default class Thing { v = 1 }\nexport type Alias = string;';
    await session.done('write_file', { path: 'things.ts', content });
    const code = `import Thing, { Kind, type Alias } from './things';
export { Kind as Other, type Alias as Named } from './things';
const name: Alias = Kind.A; console.log(name, new Thing().v);`;
    expect(await session.prints(code)).toBe('a 1\n');
  });
});
