import { describe, expect, inject, test } from 'vitest';
import { matrix } from '../support/matrix.ts';
import { runOnce } from '../support/rest-client.ts';
import { sharedSession } from '../support/shared-session.ts';

/** Modules beside a program or a cell: what is in them, and how they are named, is the same on every runtime. */
const server = inject('server');
const cells = (await matrix()).filter(({ dialect }) => dialect === 'javascript');

const DECORATED = `export class Box {
  @((value, context) => value) size() { return 4 }
  accessor lid = 1;
}`;
const FILES = [
  { path: 'box.mjs', content: DECORATED },
  {
    path: 'lib/sum.ts',
    content: `import one = require('./one');\nexport const sum: number = one.value + 1;`,
  },
  { path: 'lib/one.ts', content: 'export const value: number = 1;' },
  { path: 'lib/old.js', content: `exports.told = require('./older').told;` },
  { path: 'lib/older.js', content: `exports.told = 'old';` },
  { path: 'lib/first.mjs', content: `export { last } from './last.mjs';` },
  { path: 'lib/last.mjs', content: `import { sum } from './typed.ts';\nexport const last = sum;` },
  {
    path: 'lib/typed.ts',
    content: `import { type Of, one } from './typed-one.ts';\nexport const sum: Of = one + 2;`,
  },
  { path: 'lib/typed-one.ts', content: 'export type Of = number;\nexport const one: Of = 1;' },
  { path: 'node_modules/es/package.json', content: '{ "type": "module", "main": "index.js" }' },
  { path: 'node_modules/es/index.js', content: `export { name } from './name.js';` },
  { path: 'node_modules/es/name.js', content: `export const name = 'es';` },
  { path: 'data.json', content: '{ "a": 7 }' },
];
const CODE = `import { Box } from './box.mjs';
import data from './data.json' with { type: 'json' };
console.log(new Box().size() + new Box().lid, require('./lib/sum').sum, require('./lib/old').told, data.a);
console.log(require('./lib/first.mjs').last, require('./lib/typed.ts').sum, require('./data.json').a, require('es').name);`;
const PRINTED = '5 2 old 7\n3 3 7 es\n';

describe.for(cells)('$name', ({ language, runtimeType }) => {
  const shared = sharedSession(server.wsUrl, { language, runtimeType });

  test('a program finds what is beside it', async () => {
    const end = await runOnce(server.url, { language, runtimeType, code: CODE, files: FILES });
    expect(end).toMatchObject({ stderr: '', stdout: PRINTED });
  });

  test('a cell finds what is beside it, packages that have changed too', async () => {
    const session = await shared();
    const write = (path: string, content: string) => session.done('write_file', { path, content });
    for (const file of FILES) await session.done('write_file', file);
    expect(await session.prints(CODE)).toBe(PRINTED);
    const both = `console.log(require('own').n, (await import('own')).default.n)`;
    await write('node_modules/own/index.js', 'exports.n = 1');
    expect(await session.prints(both)).toBe('1 1\n');
    await write('node_modules/own/index.js', 'exports.n = 20');
    expect(await session.prints(both)).toBe('20 20\n');
  });

  test('errors name modules that were read again as their files are named', async () => {
    const session = await shared();
    const contents = [
      'export const f = 1',
      'export const f = () => { throw new Error("two") }',
      'export let ;',
    ];
    const tracebacks: string[] = [];
    for (const content of contents) {
      await session.done('write_file', { path: 'part.mjs', content });
      const { result } = await session.cell(`const { f } = await import('./part.mjs'); f()`);
      tracebacks.push(result.error.traceback);
    }
    expect(tracebacks[1]).toMatch(/\/workspace\/part\.mjs:1:\d+/);
    expect(tracebacks[2]).toMatch(/\/workspace\/part\.mjs:1:\d+/);
    expect(tracebacks.join()).not.toContain('reading');
  });

  // A container's Node.js is that of NodeJs.
  if (language !== 'javascript' || runtimeType === 'Docker') return;
  test('a program has decorators and accessors', async () => {
    const code = `${DECORATED.replace('export ', '')}
console.log(new Box().size(), new Box().lid);`;
    const end = await runOnce(server.url, { language, runtimeType, code });
    expect(end).toMatchObject({ stderr: '', stdout: '4 1\n' });
  });
});
