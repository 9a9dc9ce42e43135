import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { needs } from '../support/needs.ts';
import { KernelProcess } from './kernel-process.ts';

const KERNEL = join(import.meta.dirname, '../../src/kernels/python/kernel.py');
const start = () => KernelProcess.start(['/usr/bin/python3', '-I', '-B', '-u', KERNEL]);

let kernel: KernelProcess;
beforeAll(async () => {
  kernel = await start();
});
afterAll(() => kernel[Symbol.asyncDispose]());

describe('a Python cell', () => {
  test('leaves its names to the next', async () => {
    expect(await kernel.run('x = 10')).toEqual({ stdout: '', stderr: '', results: [], error: null });
    expect(await kernel.prints('print(x)')).toBe('10\n');
  });

  test('has its last expression as the result, and none for None', async () => {
    expect((await kernel.run('y = 6\ny * 7')).results).toEqual([{ 'text/plain': '42' }]);
    expect((await kernel.run('None')).results).toEqual([]);
    expect((await kernel.run('y = 1')).results).toEqual([]);
  });

  test('gives what an object offers beside its repr', async () => {
    const code = `
class Rich:
    def __repr__(self): return 'plain'
    def _repr_html_(self): return '<b>é</b>'
    def _repr_png_(self): return b'\\x89PNG'
    def _repr_json_(self): return {'a': [1]}
    def _repr_latex_(self): raise ValueError
Rich()`;
    expect((await kernel.run(code)).results).toEqual([
      {
        'text/plain': 'plain',
        'text/html': '<b>é</b>',
        'image/png': 'iVBORw==',
        'application/json': { a: [1] },
      },
    ]);
    const shown = await kernel.run('display(1, Rich())\ndisplay("two")\n3');
    expect(shown.results.map(result => result['text/plain'])).toEqual(['1', 'plain', "'two'", '3']);
  });

  test('is told by Python itself when it fails, with its own lines and nothing of the kernel', async () => {
    await kernel.run('def divide(a):\n    return a / 0\n');
    const { name, message, traceback } = await kernel.fails('# first\ndivide(\n  1)');
    expect({ name, message }).toEqual({ name: 'ZeroDivisionError', message: 'division by zero' });
    expect(traceback).toContain('line 2, in <module>\n    divide(');
    expect(traceback).toContain('line 2, in divide\n    return a / 0');
    expect(traceback.split('\n')[0]).toBe('Traceback (most recent call last):');
    expect(traceback).not.toContain('kernel');
  });

  test('shows its lines in tracebacks that the program prints', async () => {
    await using fresh = await start();
    const code = 'import traceback\ntry:\n    nosuch\nexcept NameError:\n    traceback.print_exc()';
    expect((await fresh.run(code)).stderr).toContain('line 3, in <module>\n    nosuch');
    const source = 'import inspect\ndef f():\n    return 7\nprint(inspect.getsource(f))';
    expect(await fresh.prints(source)).toContain('return 7');
  });

  test('takes a syntax error, a NUL and deep nesting as errors of the cell', async () => {
    const { name, traceback } = await kernel.fails('x = = 1');
    expect(name).toBe('SyntaxError');
    expect(traceback).toMatch(/^ {2}File "<cell \d+>", line 1\n {4}x = = 1\n {8}\^/);
    expect((await kernel.fails('x = "\0"')).name).toMatch(/ValueError|SyntaxError/);
    expect((await kernel.fails(`${'('.repeat(5000)}1`)).name).toMatch(/SyntaxError|MemoryError/);
    expect(await kernel.prints('print(1)')).toBe('1\n');
  });

  test('runs in a real __main__: pickle, dataclasses, typing and multiprocessing work', async () => {
    const code = `
import pickle, typing, multiprocessing, sys
from dataclasses import dataclass
@dataclass
class Point:
    x: 'int' = 1
def square(n): return n * n
print(pickle.loads(pickle.dumps(Point(2))), typing.get_type_hints(Point))
if __name__ == '__main__':
    with multiprocessing.Pool(2) as pool: print(pool.map(square, [1, 2, 3]))
print(sys.modules['__main__'].square(4))`;
    expect(await kernel.prints(code)).toBe("Point(x=2) {'x': <class 'int'>}\n[1, 4, 9]\n16\n");
  });

  test('awaits at top level, in one loop for all cells', async () => {
    const first = 'import asyncio\nasync def late():\n    await asyncio.sleep(0.01)\n    return 5\n';
    expect(await kernel.value(`${first}task = asyncio.create_task(late())\nawait asyncio.sleep(0, 7)`)).toBe(
      '7',
    );
    expect(await kernel.value('await task')).toBe('5');
    expect(await kernel.value('asyncio.run(late())')).toBe('5');
    const { traceback } = await kernel.fails('await asyncio.sleep(0)\nraise KeyError("k")');
    expect(traceback).toContain('line 2, in <module>');
    expect(traceback).not.toContain('asyncio');
  });

  test('ends with sys.exit and the interpreter stays', async () => {
    await kernel.run('kept = 1');
    expect((await kernel.run('import sys\nsys.exit()')).error).toBeNull();
    expect((await kernel.run('exit(0)')).error).toBeNull();
    expect(await kernel.fails('sys.exit(3)')).toMatchObject({ name: 'SystemExit', message: '3' });
    const later = 'import asyncio; await asyncio.sleep(0); sys.exit(4)';
    expect(await kernel.fails(later)).toMatchObject({ name: 'SystemExit', message: '4' });
    expect(await kernel.fails('sys.exit("why")')).toMatchObject({ name: 'SystemExit', message: 'why' });
    expect(await kernel.prints('print(kept, input())', { stdin: 'still reads\n' })).toBe('1 still reads\n');
  });

  test('reads its own standard input and nothing that an earlier cell left', async () => {
    expect(await kernel.prints('print(input("name? "))', { stdin: 'first\nrest\n' })).toBe('name? first\n');
    expect(await kernel.prints('import sys; print(repr(sys.stdin.read()))', { stdin: 'é\n' })).toBe(
      "'é\\n'\n",
    );
    expect(await kernel.prints('print(repr(sys.stdin.read()))')).toBe("''\n");
    expect((await kernel.fails('input()')).name).toBe('EOFError');
    const child = 'import subprocess; print(subprocess.check_output(["cat"]))';
    expect(await kernel.prints(child, { stdin: 'to a child' })).toBe("b'to a child'\n");
    expect(await kernel.prints('import os; print([f for f in os.listdir(".") if "input" in f])')).toBe(
      '[]\n',
    );
  });

  test('imports files beside it, and PYTHONPATH, but none in place of the kernel’s own', async () => {
    writeFileSync(join(kernel.directory, 'mine.py'), 'answer = 42');
    writeFileSync(join(kernel.directory, 'tracebacks.py'), 'raise SystemExit("planted")');
    writeFileSync(join(kernel.directory, 'traceback.py'), 'raise SystemExit("planted")');
    expect(await kernel.prints('import mine; print(mine.answer, __name__)')).toBe('42 __main__\n');
    expect((await kernel.fails('1 / 0')).name).toBe('ZeroDivisionError');
    const left = 'import os; print(sorted(f for f in os.listdir() if f.startswith("__")))';
    expect(await kernel.prints(left)).toBe('[]\n');
  });

  test('keeps `from __future__` for the cells after it', async () => {
    await using fresh = await start();
    await fresh.run('from __future__ import annotations');
    expect(await fresh.prints('def f(a: nosuch): pass\nprint(f.__annotations__)')).toBe("{'a': 'nosuch'}\n");
  });
});

describe('a hostile Python cell', () => {
  test.for([
    ['an exception whose __str__ raises', 'class E(Exception):\n  def __str__(self): raise E\nraise E', 'E'],
    ['a __repr__ that raises', 'class R:\n  def __repr__(self): return 1/0\nR()', 'ZeroDivisionError'],
    ['surrogates in an error', 'raise ValueError("\\ud800")', 'ValueError'],
    ['endless recursion', 'def r(): r()\nr()', 'RecursionError'],
    ['memory that is not there', 'x = "a" * (1 << 62)', 'MemoryError'],
    ['a BaseException', 'raise GeneratorExit("g")', 'GeneratorExit'],
  ])('may have %s', async ([, code, name]) => {
    expect((await kernel.fails(code!)).name).toBe(name);
    expect(await kernel.prints('print("alive")')).toBe('alive\n');
  });

  test('has its huge values cut', async () => {
    const text = (await kernel.value('"x" * 5_000_000')) as string;
    expect(text.length).toBeLessThan(1_100_000);
    const code = `class H:
    def __repr__(self): return 'é' * 3_000_000
    def _repr_html_(self): return 'x' * 5_000_000
H()`;
    const { results } = await kernel.run(code);
    expect(Object.keys(results[0]!)).toEqual(['text/plain']);
    expect((await kernel.fails('raise ValueError("v" * 9_000_000)')).message.length).toBeLessThan(100_000);
  });

  test('may patch builtins, json, signal and streams', async () => {
    await using fresh = await start();
    await fresh.run(`import builtins, json, os, signal
json.dumps = json.loads = os.read = os.write = os.close = None
signal.signal(signal.SIGINT, signal.SIG_IGN)
for name in ('len', 'isinstance', 'getattr', 'compile', 'eval', 'type', 'repr', 'open', 'dict'):
    setattr(builtins, name, None)`);
    expect((await fresh.fails('1 / 0')).name).toBe('ZeroDivisionError');
    expect((await fresh.run('1 + 1')).results).toEqual([{ 'text/plain': '2' }]);
    await fresh.run('import sys\nclass S:\n  def flush(self): raise OSError\nsys.stdout = S()');
    await fresh.run('sys.stderr.close(); sys.__stdout__ = None; del sys.modules["__main__"]');
    expect(await fresh.value('2 + 2')).toBe('4');
  });

  test('that forks has one end, and its child none of its own', async () => {
    const code =
      'import os\nif os.fork() == 0:\n    print("child")\nelse:\n    print("parent", os.wait()[1])';
    expect(await kernel.prints(code)).toBe('child\nparent 0\n');
    const failing =
      'if os.fork() == 0:\n    display(1)\n    raise KeyError\nelse:\n    print(os.wait()[1])\n5';
    const { stdout, stderr, results } = await kernel.run(failing);
    expect({ stdout, results }).toEqual({ stdout: '256\n', results: [{ 'text/plain': '5' }] });
    expect(stderr).toContain('KeyError');
    const exits = 'import sys\nif os.fork() == 0: sys.exit(5)\nprint(os.wait()[1] >> 8)';
    expect(await kernel.prints(exits)).toBe('5\n');
  });

  test('may leave threads that print and show', async () => {
    const code = `import threading, time
def late():
    time.sleep(0.05)
    print('late')
    display('late')
threading.Thread(target=late).start()`;
    expect(await kernel.prints(code)).toBe('');
    const { stdout, results } = await kernel.run('time.sleep(0.15)\n1');
    expect(stdout).toBe('late\n');
    expect(results.length).toBeGreaterThan(0);
    await kernel.run('threading.Thread(target=late).start()');
    await new Promise(resolve => setTimeout(resolve, 100));
    expect((await kernel.run('2')).results).toEqual([{ 'text/plain': '2' }]);
  });

  test('ends its kernel when it closes every descriptor or exits for good', async () => {
    for (const [code, end] of [
      ['import os; os._exit(7)', 7],
      ['import os; os.closerange(0, 65536)', 0],
      ['import os, signal; os.kill(os.getpid(), signal.SIGKILL)', 'SIGKILL'],
    ] as const) {
      await using fresh = await start();
      await expect(fresh.run(code)).rejects.toThrow('the kernel ended');
      expect(await fresh.ended()).toBe(end);
    }
  });

  test('may close the standard streams and descriptor 3', async () => {
    await using fresh = await start();
    await fresh.run('import os\nfor fd in (0, 1, 2, 3):\n  try: os.close(fd)\n  except OSError: pass');
    expect(await fresh.value('1 + 1')).toBe('2');
    await fresh.run('os.closerange(3, 256)');
    expect((await fresh.fails('input()')).name).toBe('EOFError');
  });

  test('of 100 000 characters runs', async () => {
    const code = `${'# filler line\n'.repeat(7000)}\nprint("end")`;
    expect(await kernel.prints(code)).toBe('end\n');
    expect((await kernel.fails(`${'\n'.repeat(90_000)}nosuch`)).traceback).toContain('line 90001');
  });
});

describe('SIGINT', () => {
  const interrupt = async (target: KernelProcess, code: string) => {
    target.begin(`print('running')\n${code}`);
    await new Promise(resolve => target.child.stdout!.once('data', resolve));
    target.child.kill('SIGINT');
    return target.end();
  };

  test.for([
    ['an endless loop', 'while True: pass'],
    ['a sleep', 'import time; time.sleep(60)'],
    ['an await', 'import asyncio; await asyncio.sleep(60)'],
    ['a loop in a cell that awaits', 'import asyncio; await asyncio.sleep(0)\nprint(1)\nwhile True: pass'],
    ['a repr', 'class R:\n  def __repr__(self):\n    while True: pass\nR()'],
    ['a cell after one that ignored it', 'import signal\nwhile True: pass'],
  ])('ends %s and keeps the state', async ([, code]) => {
    await kernel.run('kept = 3\nimport signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)');
    const { error } = await interrupt(kernel, code!);
    expect(error).toMatchObject({ name: 'KeyboardInterrupt' });
    expect(error?.traceback).not.toContain('kernel.py');
    expect(await kernel.prints('print(kept)')).toBe('3\n');
  });

  test('does nothing to an idle interpreter', async () => {
    for (let i = 0; i < 3; i++) kernel.child.kill('SIGINT');
    await new Promise(resolve => setTimeout(resolve, 20));
    expect(await kernel.prints('print(kept)')).toBe('3\n');
  });
});

test('everything printed is there when a cell is done, whatever its size', async () => {
  for (const bytes of [65_536, 304_487, 1_000_000]) {
    const { stdout, stderr } = await kernel.run(
      `import sys\nprint('x' * ${bytes}, end='')\nprint('y' * ${bytes}, end='', file=sys.stderr)`,
    );
    expect([stdout.length, stderr.length]).toEqual([bytes, bytes]);
  }
});

test('the kernel ends when the service is gone', async () => {
  await using fresh = await start();
  fresh.control.destroy();
  expect(await fresh.ended()).toBe(0);
});

needs('matplotlib')('shows the figures that are open when a cell ends, and closes them', async () => {
  await using python = await start();
  const code = 'import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.figure()\nNone';
  const { results, error } = await python.run(code);
  expect(error).toBeNull();
  expect(results).toHaveLength(2);
  for (const bundle of results) {
    expect(bundle['text/plain']).toMatch(/^<Figure size/);
    expect(
      Buffer.from(bundle['image/png'] as string, 'base64')
        .subarray(1, 4)
        .toString(),
    ).toBe('PNG');
  }
  expect((await python.run('plt.get_fignums()')).results).toEqual([{ 'text/plain': '[]' }]);
});
