import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SandboxLibrary } from '../../src/runtimes/library.ts';
import { KernelProcess, newDirectory } from './kernel-process.ts';

const ROOT = join(import.meta.dirname, '../..');
const BUN = join(ROOT, 'node_modules/bun/bin/bun.exe');
const dataDir = mkdtempSync(join(tmpdir(), 'kernels-'));
let built: string;

const start = (directory = newDirectory()) =>
  KernelProcess.start(['env', '-C', built, BUN, '--no-install', 'bun.js', directory], directory);

let kernel: KernelProcess;
beforeAll(async () => {
  const library = await new SandboxLibrary(dataDir).get();
  built = join(library.directory, 'javascript');
  kernel = await start();
});
afterAll(async () => {
  await kernel[Symbol.asyncDispose]();
  rmSync(dataDir, { recursive: true });
});

describe('a JavaScript cell', () => {
  test('leaves every kind of name to the next, which may declare it again', async () => {
    const all = 'let a = 1; const b = 2; var c = 3; class D { n = 4 } function e() { return 5 } x = 10;';
    expect(await kernel.prints(`${all} const { f, g: [h], ...i } = { f: 6, g: [7], j: 8 };`)).toBe('');
    const use = 'console.log(a, b, c, new D().n, e(), f, h, i.j, x)';
    expect(await kernel.prints(use)).toBe('1 2 3 4 5 6 7 8 10\n');
    await kernel.prints('const a = "again"; class D { n = 40 }');
    expect(await kernel.prints('console.log(a, new D().n)')).toBe('again 40\n');
  });

  test('changes what an earlier cell closed over', async () => {
    await kernel.prints('let n = 1; function next() { return helper(n++) }\nfunction helper(m) { return m }');
    expect(await kernel.value('next() + next()')).toBe('3');
    await kernel.prints('n = 10; function helper(m) { return m * 2 }');
    expect(await kernel.value('next()')).toBe('20');
    expect(await kernel.prints('console.log(later()); function later() { return 1 }')).toBe('1\n');
  });

  test('has its last expression as the result; declarations, imports and undefined have none', async () => {
    expect((await kernel.run('const y = 6\ny * 7 // seven;')).results).toEqual([{ 'text/plain': '42' }]);
    expect(await kernel.value('({ a: [1, "b"] })')).toBe('{\n  a: [ 1, "b" ],\n}');
    expect(await kernel.value('{ a: 1 }')).toBe('{\n  a: 1,\n}');
    for (const code of [
      'undefined',
      'const q = 5;',
      'let r = () => 1',
      'class S {}',
      'function t() {}',
      'import "node:fs"',
      'import * as os from "node:os"',
      'if (1) { 5 }',
      '{ let u = 1; u }',
      'return 7',
      '',
      '// nothing',
    ]) {
      expect(await kernel.run(code)).toMatchObject({ results: [], error: null });
    }
    expect(await kernel.value('let s = 1; s = 5; // five')).toBe('5');
    expect(await kernel.value('null')).toBe('null');
  });

  test('awaits at top level, and what its last expression promises', async () => {
    expect(await kernel.prints('const v = await Promise.resolve(8); console.log(v)')).toBe('8\n');
    const late = `new Promise(r => setTimeout(() => { console.log('late'); r(9) }, 20))`;
    expect(await kernel.run(late)).toMatchObject({ stdout: 'late\n', results: [{ 'text/plain': '9' }] });
    const rejected = await kernel.fails(`Promise.reject(new RangeError('too far'))`);
    expect(rejected).toMatchObject({ name: 'RangeError', message: 'too far' });
  });

  test('imports statically and dynamically, requires, and starts at the workspace', async () => {
    writeFileSync(join(kernel.directory, 'one.js'), 'export const one = 1; export default "d"');
    writeFileSync(join(kernel.directory, 'two.ts'), 'export const two: number = 2; export enum E { A }');
    writeFileSync(join(kernel.directory, 'three.cjs'), 'module.exports = { three: 3 }');
    const code = `import d, { one as uno } from './one.js';
import { two } from './two';
import d2, * as all from './one.js';
import fs, { readFileSync } from 'node:fs';
const { three } = require('./three.cjs');`;
    await kernel.prints(code);
    const use = 'console.log(d, uno, two, d2, all.one, three, typeof fs.readdir === typeof readFileSync)';
    expect(await kernel.prints(use)).toBe('d 1 2 d 1 3 true\n');
    expect(await kernel.prints('console.log((await import("./one.js")).one)')).toBe('1\n');
    expect(await kernel.prints('const f = () => import("./two.ts"); console.log((await f()).two)')).toBe(
      '2\n',
    );
    const missing = await kernel.fails('import nothing from "no-such-package"');
    expect(missing.message).toContain('no-such-package');
  });

  test('has what a module has: module, exports, require, __dirname, __filename, import.meta', async () => {
    const code = `module.exports.a = 1;
console.log(typeof exports, typeof require.resolve, __dirname, __filename.startsWith(__dirname))
console.log(import.meta.main, import.meta.dir, import.meta.url.startsWith('file://'))`;
    const { directory } = kernel;
    expect(await kernel.prints(code)).toBe(`object function ${directory} true\ntrue ${directory} true\n`);
  });

  test('may be pasted from a module with exports', async () => {
    const code = `export const p = 1;
export function q() { return 2 }
export default class R { s = 3 }
export { p as t };
export * from 'node:path';`;
    expect((await kernel.run(code)).error).toBeNull();
    expect(await kernel.value('p + q() + new R().s')).toBe('6');
  });

  test('is sloppy as a script is, unless it says otherwise', async () => {
    expect(await kernel.value('implicit = 3; implicit')).toBe('3');
    expect((await kernel.fails(`'use strict'; undeclared = 3`)).name).toBe('ReferenceError');
  });

  test('gives what a value shows of itself', async () => {
    const code = `({ [Symbol.for('Jupyter.display')]: () => ({ 'text/html': '<b>é</b>', 'application/json': [1] }) })`;
    expect((await kernel.run(code)).results).toMatchObject([
      { 'text/html': '<b>é</b>', 'application/json': [1] },
    ]);
  });
});

describe('a TypeScript cell', () => {
  const typescript = true;

  test('may have types, enums, interfaces, namespaces, generics and decorators', async () => {
    const code = `enum Colour { Red = 3, Green }
const enum Small { A = 'a' }
interface P { x: number }
type Q = P & { y?: string };
namespace N { export const inner = 5; export function twice(n: number): number { return n * 2 } }
abstract class Base { abstract m(): string; constructor(protected readonly v: number) {} }
class Derived extends Base { m() { return 'm' + this.v } }
function same<T>(value: T): T { return value }
const p: Q = { x: 1 } satisfies P;
declare const ambient: string;
let n: number = p.x as number, later!: string;`;
    expect(await kernel.prints(code, { typescript })).toBe('');
    const use =
      'console.log(Colour.Green, Colour[3], Small.A, N.twice(N.inner), new Derived(1).m(), same<number>(n!))';
    expect(await kernel.prints(use, { typescript })).toBe('4 Red a 10 m1 1\n');
  });

  test('is a syntax error where JavaScript was asked for', async () => {
    expect((await kernel.fails('let n: number = 1')).name).toBe('SyntaxError');
  });
});

describe('an error', () => {
  test.for([
    ['on a line of its own', '\n\nnosuchname', 3, 'ReferenceError'],
    ['after a comment and blank lines', '// one\n\n/* two\n */\nconst a1 = 1;\n\nnull.x;\n', 7, 'TypeError'],
    ['in a multi-line object', 'const o = {\n  a: 1,\n  b: [\n    nosuch,\n  ],\n};', 4, 'ReferenceError'],
    ['in a chain', 'const c1 = {};\nc1\n  .toString()\n  .nosuch();', 4, 'TypeError'],
    ['after return', 'function r1() {\n  return (\n    nosuch\n  );\n}\nr1()', 3, 'ReferenceError'],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the cell's
    ['in a template', 'const t1 = `a\n  b\n---\n${nosuch}\n"c\n`;', 4, 'ReferenceError'],
    ['after a template', 'const t2 = `\n---\n===\n`;\nnosuch', 5, 'ReferenceError'],
    [
      'in a class',
      'class C1 {\n  #p = /["\'`]/g;\n  get v() { throw new TypeError(1); }\n}\nnew C1().v',
      3,
      'TypeError',
    ],
    ['after types', 'interface I { x: number }\n// x\nenum E1 {\n  A,\n}\n\nnosuch', 7, 'ReferenceError'],
    ['after an await', 'await 1;\n\nthrow new RangeError("r")', 3, 'RangeError'],
  ] as const)('%s is told with that line', async ([, code, line, name]) => {
    const error = await kernel.fails(code, { typescript: true });
    expect(error.name).toBe(name);
    expect(error.traceback).toMatch(new RegExp(`^[^@]*?<cell-\\d+>:${line}:`));
    expect(error.traceback).not.toContain(built);
  });

  test('names the lines of every cell it went through and nothing of the kernel', async () => {
    await kernel.prints('function inner() {\n  throw new Error("deep")\n}');
    const { name, message, traceback } = await kernel.fails('\nfunction outer() {\n  inner();\n}\nouter();');
    expect({ name, message }).toEqual({ name: 'Error', message: 'deep' });
    const frames = traceback.trimEnd().split('\n').slice(1);
    expect(frames.map(frame => /<cell-\d+>:(\d+)/.exec(frame)?.[1])).toEqual(['2', '3', '5']);
  });

  test('that the program prints itself has its lines too', async () => {
    const { stderr } = await kernel.run('try {\n\n  nosuch.x\n} catch (e) { console.error(e) }');
    expect(stderr).toMatch(/^ReferenceError: .*nosuch.*\n {4}at <cell-\d+>:3:\d+\n$/);
    expect(stderr).not.toContain(built);
  });

  test('of syntax shows the line and a mark', async () => {
    const { name, traceback } = await kernel.fails('\n\nx = = 1');
    expect(name).toBe('SyntaxError');
    expect(traceback).toMatch(/^<cell-\d+>:3:5\nx = = 1\n {4}\^\nSyntaxError: /);
    writeFileSync(join(kernel.directory, 'broken.js'), 'export const = 1');
    expect((await kernel.fails('import "./broken.js"')).traceback).toContain('broken.js:1:14');
  });

  test.for([
    ['a number', 'throw 5', 'Error', '5'],
    ['nothing', 'throw undefined', 'Error', 'undefined'],
    ['a class of its own', 'class M extends Error { name = "M" }\nthrow new M("m")', 'M', 'm'],
    [
      'an error with a hostile getter',
      'throw Object.defineProperty(new Error, "message", { get() { throw 1 } })',
      'Error',
      '',
    ],
    ['its own cause', 'const self = new Error("s"); self.cause = self; throw self', 'Error', 's'],
    ['a hostile proxy', 'throw new Proxy(new Error("p"), { get() { throw 1 } })', 'Error', ''],
    ['endless recursion', 'function r() { r() }\nr()', 'RangeError', 'Maximum call stack size exceeded.'],
  ] as const)('may be %s', async ([, code, name, message]) => {
    expect(await kernel.fails(code)).toMatchObject({ name, message });
  });

  test('in a timer or an unawaited promise is printed and survived', async () => {
    const code = `setTimeout(() => { throw new Error('timer') }, 60); Promise.reject(new Error('nobody')); 1`;
    await kernel.prints(code);
    const { stderr } = await kernel.run('await new Promise(r => setTimeout(r, 150))');
    expect(stderr).toMatch(/Error: timer\n.*<cell-\d+>:1:/);
    expect(await kernel.value('1 + 1')).toBe('2');
  });
});

describe('standard input', () => {
  const readers = {
    'readFileSync(0)': `console.log(JSON.stringify(require('fs').readFileSync(0, 'utf8')))`,
    'Bun.stdin.text()': 'console.log(JSON.stringify(await Bun.stdin.text()))',
    'process.stdin': `let all = ''; process.stdin.setEncoding('utf8');
for await (const chunk of process.stdin) all += chunk;
console.log(JSON.stringify(all))`,
    events: `console.log(JSON.stringify(await new Promise(end => {
  let text = ''; process.stdin.on('data', d => { text += d }).on('end', () => end(text)) })))`,
  };

  test.for(Object.entries(readers))('is read by %s, cell after cell', async ([, code]) => {
    await using fresh = await start();
    for (const stdin of ['one\ntwo é', undefined, 'again', '']) {
      const read = await fresh.prints(code, stdin === undefined ? {} : { stdin });
      expect(JSON.parse(read)).toBe(stdin ?? '');
    }
  });

  test('is read by lines, by prompt and by a child', async () => {
    const lines = 'for await (const line of console) console.log("[" + line + "]")';
    expect(await kernel.prints(lines, { stdin: 'a\nb' })).toBe('[a]\n[b]\n');
    expect(await kernel.prints('console.log(prompt("name?"))', { stdin: 'who\n' })).toBe('name? who\n');
    const readline = `const rl = require('readline').createInterface({ input: process.stdin });
for await (const line of rl) console.log('<' + line + '>')`;
    expect(await kernel.prints(readline, { stdin: 'c\nd' })).toBe('<c>\n<d>\n');
    const child = `console.log(require('child_process').execSync('cat', { stdio: ['inherit', 'pipe'] }).toString())`;
    expect(await kernel.prints(child, { stdin: 'to a child' })).toBe('to a child\n');
  });
});

describe('output', () => {
  test.for(['console.log', 'process.stdout.write', 'console.error', 'process.stderr.write'])(
    'of %s is there when a cell is done, whatever its size',
    async write => {
      for (const bytes of [65_536, 1_000_000]) {
        const { stdout, stderr } = await kernel.run(`${write}('x'.repeat(${bytes})); 1`);
        expect((stdout + stderr).trimEnd().length).toBe(bytes);
      }
    },
  );

  test('keeps the order of console.log and that of process.stdout, which may overtake each other, and loses nothing', async () => {
    const code = `for (let i = 0; i < 200; i++) i % 2 ? console.log(i) : process.stdout.write(i + '\\n')`;
    const printed = (await kernel.prints(code)).trimEnd().split('\n').map(Number);
    const all = Array.from({ length: 200 }, (_, i) => i);
    for (const rest of [0, 1])
      expect(printed.filter(i => i % 2 === rest)).toEqual(all.filter(i => i % 2 === rest));
    expect(printed).toHaveLength(200);
  });
});

describe('a hostile cell', () => {
  test('that patches what the language is made of keeps its kernel', async () => {
    await using fresh = await start();
    await fresh.run('JSON.stringify = JSON.parse = null; String.prototype.toJSON = () => "x"; 0');
    expect(await fresh.value('1 + 1')).toBe('2');
    await fresh.run('Promise.prototype.then = null; globalThis.Promise = null; Object.entries = null; 0');
    expect(await fresh.value('await 2 + 1')).toBe('3');
    await fresh.run('for (const k of ["push", "flatMap", "forEach", "join"]) Array.prototype[k] = null');
    expect(await fresh.prints('console.log("alive")')).toBe('alive\n');
    await fresh.run('process.exit = console.log = console.error = eval = Error = undefined; 0');
    expect((await fresh.fails('null.x')).name).toBe('TypeError');
  });

  test('has its huge values cut', async () => {
    const text = (await kernel.value('"x".repeat(5_000_000)')) as string;
    expect(text.length).toBeLessThan(1_100_000);
    expect((await kernel.fails('throw new Error("v".repeat(9_000_000))')).message.length).toBeLessThan(
      100_000,
    );
  });

  test('that leaves timers running is done at once', async () => {
    await kernel.prints('setInterval(() => {}, 5); setTimeout(() => {}, 60_000); 0');
    expect(await kernel.value('1')).toBe('1');
  });

  test('of 100 000 characters runs', async () => {
    const code = `${'// filler line\n'.repeat(3000)}${'filler = { a: [1, 2] };\n'.repeat(1900)}\nnosuch`;
    expect((await kernel.fails(code)).traceback).toContain(':4902:');
  });

  test.for([
    ['exits', 'process.exit(7)', 7],
    ['kills itself', 'process.kill(process.pid, "SIGKILL")', 'SIGKILL'],
  ] as const)('that %s ends its kernel', async ([, code, end]) => {
    await using fresh = await start();
    await expect(fresh.run(code)).rejects.toThrow('the kernel ended');
    expect(await fresh.ended()).toBe(end);
  });

  test('that closes every descriptor ends its kernel', async () => {
    await using fresh = await start();
    const code = `const fs = require('fs'); for (let fd = 0; fd < 1024; fd++) try { fs.closeSync(fd) } catch {}`;
    await expect(fresh.run(code)).rejects.toThrow('the kernel ended');
  });

  test('can plant no configuration that keeps a kernel from starting', async () => {
    const { directory } = kernel;
    writeFileSync(join(directory, 'bunfig.toml'), 'preload = ["./planted.js"]\n');
    writeFileSync(join(directory, 'planted.js'), 'process.exit(9)');
    writeFileSync(join(directory, '.env'), 'PLANTED=1');
    writeFileSync(
      join(directory, 'tsconfig.json'),
      '{ "compilerOptions": { "paths": { "*": ["./planted.js"] } } }',
    );
    writeFileSync(join(directory, 'package.json'), '{ "type": "nonsense", ');
    const code = `const { spawnSync } = require('child_process'); process.env.PLANTED ?? 'none'`;
    await using fresh = await start(directory);
    expect(await fresh.value(code)).toBe('"none"');
  });
});

test('the kernel ends when the service is gone', async () => {
  await using fresh = await start();
  fresh.control.destroy();
  expect(await fresh.ended()).toBe(0);
});
