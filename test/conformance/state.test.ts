import { describe, expect, inject, test } from 'vitest';
import { lentSession } from '../support/lent-session.ts';
import { interpreters, matrix, sandboxes } from '../support/matrix.ts';
import * as programs from '../support/programs.ts';
import { TestSession } from '../support/session.ts';
import { sharedSession } from '../support/shared-session.ts';
import { mark, vanishes } from '../support/traces.ts';

/**
 * Cells of a session share one interpreter: its state, its errors, and what ends it. What becomes of a cell is tried in
 * each language; how an interpreter ends and begins again, which costs one each time, with each interpreter.
 */
const server = inject('server');
const cells = await matrix();

describe.for(cells)('a session of $name', ({ language, runtimeType, dialect }) => {
  const shared = sharedSession(server.wsUrl, { language, runtimeType });
  const python = dialect === 'python';
  const say = (what: string) => (python ? `print(${what})` : `console.log(${what})`);

  test('remembers x = 10', async () => {
    const session = await shared();
    expect(await session.prints('x = 10')).toBe('');
    expect(await session.prints(say('x'))).toBe('10\n');
  });

  test('answers a cell with everything the contract names', async () => {
    const session = await shared();
    const answer = await session.command('execute_code', { code: say(`'hi'`), id: 'first' });
    expect(answer).toMatchObject({
      id: 'first',
      success: true,
      error: null,
      result: { exitCode: 0, stdout: 'hi\n', stderr: '', outcome: 'ok', results: [], error: null },
    });
    expect(Object.keys(answer).sort()).toEqual(['durationMs', 'error', 'id', 'result', 'success', 'type']);
    const { executionCount } = answer.result;
    expect((await session.done('execute_code', { code: '1' })).executionCount).toBe(executionCount + 1);
  });

  test('gives the value of the last expression as a rich result', async () => {
    const session = await shared();
    const { results, stdout } = await session.done('execute_code', { code: 'y = 6\ny * 7' });
    expect(results).toMatchObject([{ 'text/plain': '42' }]);
    expect(stdout).toBe('');
  });

  test('keeps its state after an uncaught exception, which is an error with name, message and lines', async () => {
    const session = await shared();
    await session.done('execute_code', { code: 'kept = 5' });
    const answer = await session.cell(`${say(`'before'`)}\n\nnosuchname`);
    expect(answer).toMatchObject({ success: false, result: { stdout: 'before\n' } });
    const { name, message, traceback } = answer.result.error;
    expect(name).toBe(python ? 'NameError' : 'ReferenceError');
    expect(message).toContain('nosuchname');
    expect(answer.error).toBe(`${name}: ${message}`);
    if (python) expect(answer.error).toBe(`NameError: name 'nosuchname' is not defined`);
    expect(traceback).toMatch(python ? /line 3/ : /:3\b/);
    expect(traceback).not.toContain('/usr/local/lib');
    expect(await session.prints(say('kept'))).toBe('5\n');
  });

  test('takes a syntax error as an error of the cell', async () => {
    const session = await shared();
    const answer = await session.cell('x = = 1');
    expect(answer).toMatchObject({ success: false, result: { error: { name: 'SyntaxError' } } });
    expect(answer.error).toMatch(/^SyntaxError/);
    expect(await session.prints(say('1 + 1'))).toBe('2\n');
  });

  test('feeds a cell its stdin, exact and to the end', async () => {
    const session = await shared();
    const stdin = 'two\nlines é';
    const code = python
      ? 'import sys; print(repr(sys.stdin.read()))'
      : `console.log(JSON.stringify(require('fs').readFileSync(0, 'utf8')))`;
    expect(await session.prints(code, { stdin })).toMatch(/^['"]two\\nlines é['"]\n$/);
    expect(await session.prints(code)).toMatch(/^(''|"")\n$/);
    expect(await session.prints(code, { stdin: 'again' })).toMatch(/^['"]again['"]\n$/);
  });

  test('imports a module that was written into /workspace', async () => {
    const session = await shared();
    const name = python ? 'mine.py' : 'mine.js';
    const content = python ? 'answer = 42' : 'export const answer = 42;';
    await session.done('write_file', { path: name, content });
    const code = python
      ? 'import mine; print(mine.answer)'
      : `import { answer } from './mine.js'; ${say('answer')}`;
    expect(await session.prints(code)).toBe('42\n');
  });

  test('prints everything a cell prints, whatever its size', async () => {
    const session = await shared();
    for (const bytes of [65_536, 304_487, 1_000_000]) {
      expect((await session.prints(programs.digits(bytes)[dialect])) === programs.digitsText(bytes)).toBe(
        true,
      );
    }
  });
});

describe.for(await interpreters())('a session of $name', ({ language, runtimeType, dialect }) => {
  const open = (more = {}) => TestSession.open(server.wsUrl, { language, runtimeType, ...more });
  const python = dialect === 'python';
  const say = (what: string) => (python ? `print(${what})` : `console.log(${what})`);

  test('has several interpreters when a cell names a context', async () => {
    await using session = await open();
    expect(await session.done('execute_code', { code: 'x = 1' })).toMatchObject({ executionCount: 1 });
    await session.done('execute_code', { code: 'x = 2', context: 'other' });
    expect(await session.prints(say('x'))).toBe('1\n');
    expect(await session.prints(say('x'), { context: 'other' })).toBe('2\n');
    expect(await session.done('restart_context', { context: 'other' })).toEqual({ context: 'other' });
    expect((await session.cell(say('x'), { context: 'other' })).success).toBe(false);
    expect(await session.prints(say('x'))).toBe('1\n');
    expect(await session.done('restart_context')).toEqual({ context: 'default' });
    expect((await session.cell(say('x'))).success).toBe(false);
  });

  test('restarts an interpreter that ended itself or ran out of memory, and says that its state is gone', async () => {
    await using session = await open({ memoryLimitMB: 192 });
    await session.done('write_file', { path: 'kept.txt', content: 'kept' });
    await session.done('execute_code', { code: 'x = 1' });
    const end = python ? 'import os; os._exit(7)' : 'process.kill(process.pid, "SIGKILL")';
    const ended = await session.cell(end);
    expect(ended.success).toBe(false);
    expect(ended.error).toMatch(/state is gone/);
    expect((await session.cell(say('x'))).result.error.name).toMatch(/NameError|ReferenceError/);
    const answer = await session.cell(programs.allocate(400)[dialect]);
    expect(answer).toMatchObject({ success: false, result: { outcome: 'memory_limit', stdout: 'before\n' } });
    expect(answer.error).toMatch(/memory.*state is gone/is);
    expect(await session.prints(say('1 + 1'))).toBe('2\n');
    expect((await session.done('read_file', { path: 'kept.txt' })).content).toBe('kept');
  });
});

/** A sandbox lowers its own limit for as long as the cell takes. */
test.for(await sandboxes())(
  'a session of $name holds a cell to a memoryLimit below its own',
  async ({ language, runtimeType, dialect }) => {
    await using session = await lentSession(server.wsUrl, { language, runtimeType });
    const answer = await session.cell(programs.allocate(400)[dialect], { memoryLimit: 192 });
    expect(answer).toMatchObject({ success: false, result: { outcome: 'memory_limit' } });
    const refused = session.cell('1', { memoryLimit: 1024 });
    await expect(refused).rejects.toMatchObject({ code: -32602 });
  },
);

/** They wait for clocks, and so do it beside each other. */
describe.concurrent.for(await interpreters())('a session of $name', ({ language, runtimeType, dialect }) => {
  const open = (more = {}) => TestSession.open(server.wsUrl, { language, runtimeType, ...more });
  const python = dialect === 'python';
  const say = (what: string) => (python ? `print(${what})` : `console.log(${what})`);

  test('goes on after a cell that timed out, with partial output and nothing left of what it started', async () => {
    const trace = mark();
    await using session = await open({ environment: trace.environment });
    const before = new Set(trace.processes());
    const code = python
      ? `import subprocess, time\nsubprocess.Popen(['setsid', 'sleep', '61'])\nprint('before')\ntime.sleep(60)`
      : `const { spawn } = require('child_process'); spawn('setsid', ['sleep', '61']); console.log('before'); await new Promise(() => {})`;
    const answer = await session.cell(code, { timeout: 3 });
    expect(answer).toMatchObject({ success: false, result: { outcome: 'wall_timeout', stdout: 'before\n' } });
    expect(answer.error).toContain('wall_timeout');
    const sleepers = () => trace.processes().filter(pid => !before.has(pid));
    // A restarted interpreter may be new as well; what slept may not remain beside it.
    expect((await vanishes(() => sleepers().slice(1))).length).toBe(0);
    expect(await session.prints(say('1 + 1'))).toBe('2\n');
  });

  test('goes on after a cell that never yields, which is a cpu_timeout', async ({ expect }) => {
    // A machine that is so busy that it can't give even this share ends a cell for the wall's sake: it is tried again.
    await using session = await open({ cpuShares: 52 });
    const outcome = async () => {
      const answer = await session.cell(programs.SPIN[dialect], { timeout: 3 });
      expect(answer).toMatchObject({ success: false, result: { stdout: 'before\n' } });
      return answer.result.outcome;
    };
    await expect.poll(outcome, { timeout: 100_000 }).toBe('cpu_timeout');
    expect(await session.prints(say('1 + 1'))).toBe('2\n');
  });
});

describe.for(cells.filter(c => c.dialect === 'python'))('a session of $name', ({ language, runtimeType }) => {
  const shared = sharedSession(server.wsUrl, { language, runtimeType });

  test('remembers functions, classes and imports', async () => {
    const session = await shared();
    await session.prints('import math\ndef area(r): return math.pi * r * r\nclass P:\n  n = 3');
    expect(await session.prints('print(round(area(P.n), 3))')).toBe('28.274\n');
  });

  test('runs input(), top-level await and a __main__ that pickles', async () => {
    const session = await shared();
    expect(await session.prints('print(input() + "!")', { stdin: 'who\n' })).toBe('who!\n');
    const pickled = 'import pickle\nclass A: pass\nprint(type(pickle.loads(pickle.dumps(A()))).__name__)';
    expect(await session.prints(pickled)).toBe('A\n');
    const awaited = 'import asyncio\nz = await asyncio.sleep(0, 7)\nprint(z)';
    expect(await session.prints(awaited)).toBe('7\n');
  });

  test('takes sys.exit as the end of the cell and not of the interpreter', async () => {
    const session = await shared();
    await session.prints('x = 1');
    const answer = await session.cell('import sys; sys.exit(3)');
    expect(answer).toMatchObject({ success: false });
    expect(answer.error).toContain('SystemExit');
    expect(await session.prints('print(x)')).toBe('1\n');
  });
});

describe.for(cells.filter(c => c.dialect === 'javascript'))(
  'a session of $name',
  ({ language, runtimeType }) => {
    const shared = sharedSession(server.wsUrl, { language, runtimeType });

    test('tells of a rejection that nobody handles with the cell that left it', async () => {
      const session = await shared();
      for (let i = 0; i < 5; i++) {
        const { stderr, results } = await session.done('execute_code', {
          code: `Promise.reject(new Error('nobody ${i}'));\n${i}`,
        });
        expect(stderr).toContain(`nobody ${i}`);
        expect(results).toMatchObject([{ 'text/plain': String(i) }]);
      }
    });

    test('remembers let, const, class, function and destructured names', async () => {
      const session = await shared();
      await session.prints('let a = 1; const b = 2; var c = 3; class D { n = 4 } function e() { return 5 }');
      await session.prints('const { f, g: [h] } = { f: 6, g: [7] };');
      expect(await session.prints('console.log(a, b, c, new D().n, e(), f, h)')).toBe('1 2 3 4 5 6 7\n');
      await session.prints('a += 10; let b2 = b');
      expect(await session.prints('console.log(a, b2)')).toBe('11 2\n');
    });

    test('lets a cell declare again what an earlier one declared', async () => {
      const session = await shared();
      await session.prints('const x = 1');
      await session.prints('const x = 2');
      expect(await session.prints('console.log(x)')).toBe('2\n');
    });

    test('remembers imports, static and dynamic, and require', async () => {
      const session = await shared();
      await session.prints(`import { join } from 'node:path'; import * as os from 'os'; import fs from 'fs'`);
      await session.prints(`const { basename } = await import('node:path'); const url = require('node:url')`);
      const code = `console.log(join('a', 'b'), basename('c/d'), typeof os.cpus, typeof fs.readFileSync, typeof url.parse)`;
      expect(await session.prints(code)).toBe('a/b d function function function\n');
    });

    test('runs top-level await and waits for a promise that is the last value', async () => {
      const session = await shared();
      expect(await session.prints('const v = await Promise.resolve(8); console.log(v)')).toBe('8\n');
      const late = `new Promise(r => setTimeout(() => { console.log('late'); r(9) }, 200))`;
      const { stdout, results } = await session.done('execute_code', { code: late });
      expect(stdout).toBe('late\n');
      expect(results).toMatchObject([{ 'text/plain': '9' }]);
    });

    test('reports a promise that rejects as the error of its cell', async () => {
      const session = await shared();
      const answer = await session.cell(`Promise.reject(new RangeError('too far'))`);
      expect(answer).toMatchObject({ success: false, error: 'RangeError: too far' });
      expect(answer.result.error).toMatchObject({ name: 'RangeError', message: 'too far' });
    });

    if (language !== 'typescript') return;
    test('takes types, enums, interfaces and generics, and remembers them', async () => {
      const session = await shared();
      await session.prints(
        'enum Colour { Red = 3, Green }\ninterface P { x: number }\nconst p: P = { x: 1 };',
      );
      await session.prints('function same<T>(value: T): T { return value }\nlet n: number = p.x as number;');
      expect(await session.prints('console.log(Colour.Green, Colour[3], same<number>(n))')).toBe('4 Red 1\n');
    });
  },
);

test.for((await interpreters()).filter(c => c.dialect === 'javascript'))(
  'a session of $name ends with the exit code that a cell asks for, and says so',
  async ({ language, runtimeType }) => {
    await using session = await lentSession(server.wsUrl, { language, runtimeType });
    for (const code of [
      'console.log("before"); process.exit(3)',
      'console.log("before"); await 1; process.exitCode = 3; process.exit()',
      'console.log("before"); setTimeout(() => process.exit(3), 10); await new Promise(r => setTimeout(r, 5000))',
    ]) {
      const { result, error } = await session.cell(code);
      expect(result).toMatchObject({
        exitCode: 3,
        stdout: 'before\n',
        stderr: '',
        outcome: 'nonzero_exit',
      });
      expect(error).toBe(
        'The interpreter ended (exit code 3); the interpreter was restarted and its state is gone',
      );
    }
    expect(await session.prints('console.log("again")')).toBe('again\n');
  },
);
