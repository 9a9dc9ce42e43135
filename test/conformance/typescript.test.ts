import { describe, expect, inject, test } from 'vitest';
import { lentSession } from '../support/lent-session.ts';
import { matrix } from '../support/matrix.ts';
import { runOnce } from '../support/rest-client.ts';

/** What TypeScript compiles runs, alike in cells and in programs, on every runtime. */
const server = inject('server');
const cells = (await matrix()).filter(({ language }) => language === 'typescript');

const FILES = [
  { path: 'types.ts', content: 'export interface Named { name: string }\nexport const version: number = 3;' },
  { path: 'plain.ts', content: `import { version } from './types';\nexport const twice = version * 2;` },
];

const PROGRAM = `import { Named, version } from './types';
import { twice } from './plain.js';
import fs = require('node:fs');

const told: string[] = [];
function noted(value: any, context: DecoratorContext): any {
  told.push(\`\${context.kind} \${String(context.name)}\`);
  if (context.kind === 'method') return function (this: any) { return value.call(this) + 1 };
}

enum Level { Low = 1, High = Low << 2 }
namespace Shapes { export const sides = 4 }
abstract class Base { abstract name(): string; constructor(protected readonly given = 5) {} }

@noted
class Point extends Base implements Named2 {
  @noted accessor x: number = 1;
  @noted y = 2;
  static accessor made = 0;
  name(): string { return 'point' }
  @noted sum(): number { return this.x + this.y + this.given }
}
interface Named2 { name(): string }

const named: Named = { name: 'n' };
using open = { [Symbol.dispose]() { console.log('disposed') } };
const point = new Point();
Point.made++;
console.log(told.sort().join(), point.sum(), Point.made, point.x, Point.name);
console.log(Level[4], Shapes.sides, named.name, version satisfies number, twice, typeof fs.readFileSync);
`;
const PRINTED = `accessor x,class Point,field y,method sum 9 1 1 Point
High 4 n 3 6 function
disposed
`;

describe.for(cells)('$name', ({ language, runtimeType }) => {
  test('runs in a cell what TypeScript compiles', async () => {
    await using session = await lentSession(server.wsUrl, { language, runtimeType });
    for (const file of FILES) await session.done('write_file', file);
    expect(await session.prints(PROGRAM)).toBe(PRINTED);
    expect(await session.prints('console.log(new Point(7).sum(), Level.Low, Shapes.sides)')).toBe('11 1 4\n');
    const { result } = await session.cell('interface Gone { a: 1 }\n\nconst a = 1 as number;\nnosuchname');
    expect(result.error.traceback).toMatch(/<cell-\d+>:4:/);
  });

  test('runs in a program what TypeScript compiles', async () => {
    const end = await runOnce(server.url, { language, runtimeType, code: PROGRAM, files: FILES });
    expect(end).toMatchObject({ stderr: '', stdout: PRINTED, outcome: 'ok' });
  });

  test('runs a program of CommonJS', async () => {
    const code = `import path = require('node:path');
const kept: number = 1;
console.log(typeof path.join, typeof module, require.main === module, path.basename(__filename));
export = kept;`;
    const end = await runOnce(server.url, { language, runtimeType, code });
    expect(end).toMatchObject({ stderr: '', stdout: 'function object true main.ts\n' });
  });
});

/** What loads a program in a container is what loads it on NodeJs. */
const loaders = (await matrix()).filter(
  ({ language, runtimeType }) => language === 'javascript' && runtimeType !== 'Docker',
);

describe.for(loaders)('$name', ({ language, runtimeType }) => {
  test.for([
    [
      'CommonJS',
      'console.log(typeof require, typeof module, typeof exports, typeof __filename, require.main === module)',
      'function object object string true\n',
    ],
    [
      'an ES module',
      `import fs from 'node:fs'; console.log(typeof fs.readFileSync, await 5)`,
      'function 5\n',
    ],
    ['both', `console.log(typeof require('node:fs').readFileSync, await 5)`, 'function 5\n'],
  ] as const)('runs a program that is %s', async ([, code, stdout]) => {
    const end = await runOnce(server.url, { language, runtimeType, code });
    expect(end).toMatchObject({ stderr: '', stdout });
  });
});
