import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { lentSession } from '../support/lent-session.ts';
import { matrix } from '../support/matrix.ts';
import type { TestSession } from '../support/session.ts';

/** What a cell of JavaScript means is the same on every runtime, and what the language says within one cell. */
const server = inject('server');
const cells = (await matrix()).filter(({ language }) => language === 'javascript');

/** Every way to declare a name, with a value that can be told from others. */
const DECLARATIONS: Readonly<Record<string, (name: string, value: string) => string>> = {
  let: (name, value) => `let ${name} = '${value}';`,
  const: (name, value) => `const ${name} = '${value}';`,
  var: (name, value) => `var ${name} = '${value}';`,
  function: (name, value) => `function ${name}() { return '${value}' }`,
  class: (name, value) => `class ${name} { static is = '${value}' }`,
};
const PAIRS = Object.keys(DECLARATIONS).flatMap(first =>
  Object.keys(DECLARATIONS).map(then => [first, then]),
);

/** What may stand nowhere in what a program prints of its errors. */
const OURS = /\/usr\/local\/lib|node:|\bext:|__cell|__class|\[cell\]|evalmachine|\bnative\b|reading=/;

describe.for(cells)('a cell of $name', ({ language, runtimeType }) => {
  let session: TestSession;
  beforeAll(async () => {
    session = await lentSession(server.wsUrl, { language, runtimeType });
  });
  afterAll(() => session[Symbol.asyncDispose]());

  const value = async (code: string) => {
    const { results } = await session.done('execute_code', { code });
    return results[0]?.['text/plain'];
  };
  const failure = async (code: string) => {
    const { success, result } = await session.cell(code);
    expect(success, code).toBe(false);
    return result.error;
  };

  test.for([
    'const u1 = "http://x"; 5',
    'const u2 = `//`; 5',
    'const u3 = /\\/\\//; 5',
    'const u4 = { a: "//" }; 5',
    '/* a // b */ 5',
    '5 // one\n// two\n/* three */',
    '5; // http://x',
    '((x) => { return x // y\n })(5)',
    'let u5 = 5 // five\nu5 /* c */ ;;',
    "`\nimport a from 'b'\nexport const c = 1\n`.length === 38 ? 5 : 0",
  ])('has the value of its last expression: %j', async code => {
    expect(await value(code)).toBe('5');
  });

  test('has no value without one', async () => {
    for (const code of ['const n1 = "// 5"', '// 5', 'if (1) { 5 }', 'class n2 {}', 'return 5'])
      expect(await value(code), code).toBeUndefined();
  });

  test('declares anew what an earlier one declared, in whatever way', async () => {
    const all = (which: 0 | 1) =>
      PAIRS.map(pair => DECLARATIONS[pair[which]!]!(`${pair[0]}_${pair[1]}`, which ? 'later' : 'first'));
    await session.prints(all(0).join('\n'));
    await session.prints(all(1).join('\n'));
    const tell = PAIRS.map(([first, then]) => {
      const name = `${first}_${then}`;
      return then === 'function' ? `${name}()` : then === 'class' ? `${name}.is` : name;
    });
    const code = `console.log(JSON.stringify([${tell.join(', ')}]))`;
    expect(JSON.parse(await session.prints(code))).toEqual(PAIRS.map(() => 'later'));
  });

  test('is seen by what earlier ones declared', async () => {
    await session.prints(
      'let count = 1; function twice() { return 2 * step() }\nfunction step() { return count }',
    );
    await session.prints('let count = 10; const step = () => count + 1');
    expect(await value('twice()')).toBe('22');
  });

  test.for([
    'fixed = 43',
    'fixed++',
    '[fixed] = [1]',
    '({ fixed } = { fixed: 1 })',
    '({ a: fixed = 2 } = {})',
    'for (fixed of [1]);',
    'fixed ||= 0; fixed &&= 1',
    '(() => { fixed = 1 })()',
    "'use strict'; fixed = 1",
    'joined = 1',
    'part += 1',
    'const own = 1; own = 2',
  ])('can change no constant: %j', async code => {
    await session.prints(
      "const fixed = 42; const { part } = { part: 1 }; import { join as joined } from 'node:path';",
    );
    expect(await failure(code)).toMatchObject({ name: 'TypeError' });
    expect(await session.prints('console.log(fixed, part, typeof joined)')).toBe('42 1 function\n');
  });

  test('may have names of its own that are constants elsewhere', async () => {
    await session.prints('const outer = 1');
    const code =
      '{ let outer = 2; outer = 3 } ((outer) => { outer = 4 })(); function f(outer) { outer = 5 } f(); outer';
    expect(await value(code)).toBe('1');
  });

  test.for([
    'typeof later1; let later1 = 1',
    'later2 = 1; let later2',
    'new Later3(); class Later3 {}',
    'early(); function early() { return later4 } const later4 = 1',
    'let later5 = later5',
  ])('knows no name before its declaration: %j', async code => {
    expect(await failure(code)).toMatchObject({ name: 'ReferenceError' });
  });

  test('declares a name once', async () => {
    expect(await failure('let once = 1; let once = 2')).toMatchObject({ name: 'SyntaxError' });
  });

  test('disposes of what it uses at its end', async () => {
    const made = (name: string) => `{ [Symbol.dispose]() { console.log('${name} disposed') } }`;
    const code = `using a = ${made('a')};\nusing b = ${made('b')};\nconsole.log('used');`;
    expect(await session.prints(code)).toBe('used\nb disposed\na disposed\n');
    const later = `await using c = { async [Symbol.asyncDispose]() { await 1; console.log('c disposed') } }; console.log('used')`;
    expect(await session.prints(later)).toBe('used\nc disposed\n');
  });

  test('prints its errors with its own frames and all that they hold', async () => {
    const made = `function inner() {
  throw Object.assign(new RangeError('deep', { cause: new TypeError('why') }), { code: 'E_DEEP' })
}
let caught
try {
  inner()
} catch (error) { caught = error }`;
    await session.prints(made);
    const ways = ['console.log(caught)', 'console.error({ caught })', 'console.log(caught.stack)', 'caught'];
    for (const code of ways) {
      const { stdout, stderr, results } = await session.done('execute_code', { code });
      const told = stdout + stderr + (results[0]?.['text/plain'] ?? '');
      expect(told).not.toMatch(OURS);
      expect(told).toMatch(/RangeError: deep\n +at inner \(<cell-\d+>:2:\d+\)\n +at <cell-\d+>:6:\d+/);
      if (!code.includes('stack'))
        for (const part of ['E_DEEP', 'TypeError: why']) expect(told).toContain(part);
    }
    const many = 'console.log(new AggregateError([new Error("one"), new TypeError("two")], "many"))';
    const told = await session.prints(many);
    for (const part of ['AggregateError: many', 'Error: one', 'TypeError: two']) expect(told).toContain(part);
    expect(told).not.toMatch(OURS);
  });

  test('traces its own frames', async () => {
    const { stderr } = await session.done('execute_code', {
      code: 'function way() {\n  console.trace("here")\n}\nway()',
    });
    expect(stderr).toMatch(/^Trace: here\n +at way \(<cell-\d+>:2:\d+\)\n +at <cell-\d+>:4:\d+\n$/);
  });

  test('fails with its own frames alone, also after it has waited', async () => {
    const code = `const late = async () => {
  await new Promise(resolve => setTimeout(resolve, 1));
  throw new Error('late')
}
await Promise.all([late()])`;
    const { traceback } = await failure(code);
    expect(traceback).toMatch(/^Error: late\n +at (?:late \()?<cell-\d+>:3:\d+/);
    expect(traceback).not.toMatch(OURS);
    const all = `throw new AggregateError([new Error('first')], 'all', { cause: new Error('because') })`;
    const { traceback: told } = await failure(all);
    for (const part of ['AggregateError: all', 'Error: first', 'Error: because'])
      expect(told).toContain(part);
  });

  test('gives a function no name of ours', async () => {
    expect(await value('() => 1')).not.toContain('value');
    expect(
      await value(
        'const named = () => 1, { dug = () => 2 } = {}; [named.name, dug.name].join() === "named,dug" ? 5 : 0',
      ),
    ).toBe('5');
  });

  test('imports and requires a file of the workspace as it is, and one that has not changed with its state', async () => {
    const files: Record<string, string> = {
      'top.js': `import { part } from './part.js'; export const top = () => part;`,
      'part.js': 'export const part = 1;',
      'state.js': 'export let count = 0; export const add = () => ++count;',
      'whole.cjs': `module.exports = { part: require('./part.cjs').part };`,
      'part.cjs': 'module.exports = { part: 1 };',
    };
    const write = (path: string, content: string) => session.done('write_file', { path, content });
    for (const [path, content] of Object.entries(files)) await write(path, content);
    const use = `import { top } from './top.js'; import { add, count } from './state.js'; add();
console.log(top(), (await import('./part.js')).part, require('./whole.cjs').part, require('./part.cjs').part, count)`;
    expect(await session.prints(use)).toBe('1 1 1 1 1\n');
    await write('part.js', 'export const part = 2;');
    await write('part.cjs', 'module.exports = { part: 2 };');
    expect(await session.prints(use)).toBe('2 2 2 2 2\n');
    expect(await session.prints(use)).toBe('2 2 2 2 3\n');
  });

  test('succeeds if it ends its interpreter with 0, and fails with the code that it asks for otherwise', async () => {
    const ended = await session.cell('console.log("before"); process.exit(0)');
    expect(ended).toMatchObject({ success: true, error: null });
    expect(ended.result).toMatchObject({ exitCode: 0, outcome: 'ok', stdout: 'before\n' });
    const asked = await session.cell('process.exit(7)');
    expect(asked).toMatchObject({ success: false, result: { exitCode: 7, outcome: 'nonzero_exit' } });
    expect(await value('5')).toBe('5');
  });
});
