import { describe, expect, inject, test } from 'vitest';
import { lentSession } from '../support/lent-session.ts';
import { matrix } from '../support/matrix.ts';
import { TestSession } from '../support/session.ts';

/** Cells that were written for a notebook run without IPython, or are refused by the name of what is missing. */
const server = inject('server');
const cells = (await matrix()).filter(({ dialect }) => dialect === 'python');

const MANY_LINES = `
text = """
%time
!ls
x?
"""
%time total = sum( \\
    [1, 2])
for i in range(2):
    !echo {i} $i
print(total, text.count('%time'))`;

/** Cells of one session, in their order, and what they print. */
const PRINTED: readonly (readonly [code: string, printed: string | RegExp])[] = [
  ['%matplotlib inline\n%config InlineBackend.figure_format = "retina"\n!echo hi', 'hi\n'],
  ['print("before")\nfiles = !echo a; echo b\nprint(files, files.n)', "before\n['a', 'b'] a\nb\n"],
  ['!exit 3\nprint(_exit_code)', '3\n'],
  ['%%bash\nfor i in 1 2; do echo $i; done', '1\n2\n'],
  ["who = 'me'\n!echo {who} $HOME | awk '{print $1, $2}'", 'me /home/sandbox\n'],
  ['%time y = 3\nprint(y)', /^CPU times: user .*\nWall time: .*s\n3\n$/],
  ['%%time\nz = y + 1\nprint(z)', /^4\nCPU times: .*\nWall time: .*\n$/],
  ['%timeit -n 2 -r 3 sum([1, 2])', /s ± .*s per loop \(mean ± std\. dev\. of 3 runs, 2 loops each\)\n$/],
  ['%cd /tmp\nprint(open("/proc/self/environ") and __import__("os").getcwd())', '/tmp\n/tmp\n'],
  ['%cd -', '/workspace\n'],
  ['%env GREETING=hello\n!echo $GREETING', 'env: GREETING=hello\nhello\n'],
  ['%who', /\bwho\b.*\by\b/],
  ['%%writefile mine.py\nanswer = 42', 'Writing mine.py\n'],
  ['import mine; print(mine.answer)', '42\n'],
  ['def f(a, b=1):\n    "What it does."\nf?', /Signature: +f\(a, b=1\)[\s\S]*Docstring: +What it does\./],
  ['?f', /What it does/],
  ['f??', /def f\(a, b=1\):/],
  ['nosuch?', 'Object `nosuch` not found.\n'],
  ['import asyncio\nasync def seven(): return 7\n%time v = await seven()\nprint(v)', /Wall time: .*\n7\n$/],
  ['x = 7\nx\n%time 1', /Wall time/],
  ['print("a?", 5 % 3, "!")  # really?', 'a? 2 !\n'],
];

const REFUSED = [
  ['%foo bar', '%foo'],
  ['print("never")\n%load_ext nothing', '%load_ext'],
  ['%%capture out\nprint("never")', '%%capture'],
  ['if True:\n    x = %alias', '%alias'],
] as const;

describe.for(cells)('$language on $runtimeType', ({ language, runtimeType }) => {
  const open = () => lentSession(server.wsUrl, { language, runtimeType });

  test('runs the line syntax of notebooks', async () => {
    await using session = await open();
    for (const [code, printed] of PRINTED) {
      const said = `${code}\n→ ${await session.prints(code)}`;
      if (typeof printed === 'string') expect(said).toBe(`${code}\n→ ${printed}`);
      else expect(said.slice(code.length + 3)).toMatch(printed);
    }
    expect(await session.prints(MANY_LINES)).toMatch(/Wall time: .*\n0 0\n1 1\n3 1\n$/);
    const failed = await session.cell('%time 1\n\n1 / 0');
    expect(failed.result.error.traceback).toContain('line 3, in <module>\n    1 / 0');
    const ended = await session.cell('%%bash\nexit 4');
    expect(ended.error).toMatch(/^CalledProcessError: .* exit status 4/);
  });

  test('refuses by name what needs IPython, before anything of the cell runs', async () => {
    await using session = await TestSession.open(server.wsUrl, { language, runtimeType });
    for (const [code, name] of REFUSED) {
      const { success, error, result } = await session.cell(code);
      expect({ success, stdout: result.stdout }).toEqual({ success: false, stdout: '' });
      expect(error).toContain(`magics are not available here: ${name}`);
    }
    expect((await session.cell('x = = 1\n%time 1')).error).toBe(
      'SyntaxError: invalid syntax (<cell 5>, line 1)',
    );
  });

  test('says how packages are had, and goes on', async () => {
    await using session = await open();
    const code =
      '%conda install -q numpy\n!uv add pandas\npip uninstall foo\n!sudo apt-get install x\nprint("on")';
    const { stdout, stderr } = await session.done('execute_code', { code });
    expect(stdout).toBe('on\n');
    expect(stderr.match(/no network\. Packages are asked for with `packages`/g)).toHaveLength(4);
  });

  test('keeps the last values, and hides one before a semicolon', async () => {
    await using session = await open();
    const value = async (code: string) =>
      (await session.done('execute_code', { code })).results.map(
        (bundle: Record<string, unknown>) => bundle['text/plain'],
      );
    expect(await value('20 + 1')).toEqual(['21']);
    expect(await value('_ * 2')).toEqual(['42']);
    expect(await value('(_, __)')).toEqual(['(42, 21)']);
    expect(await value('5;  # hidden')).toEqual([]);
    expect(await value('"a;b"')).toEqual([`'a;b'`]);
    expect(await value('for _ in range(3): pass\n7')).toEqual(['7']);
    expect(await value('_')).toEqual(['2']);
  });

  test('shows what IPython.display shows', async () => {
    await using session = await open();
    const code = `
from IPython.display import HTML, JSON, Image, Latex, Markdown, SVG, clear_output, display, update_display
display(HTML('<b>x</b>'), Markdown('# t'))
handle = display(Latex('$x$'), display_id=True)
handle.update(JSON({'a': 1}))
update_display(SVG('<svg/>'), display_id=handle.display_id)
clear_output(wait=True)
class Itself:
    def _ipython_display_(self): print('itself')
class Bundle:
    def _repr_mimebundle_(self, include, exclude): return {'text/x-mine': 'mine'}
display(Itself(), Bundle())
Image(data=b'\\x89PNG\\r\\n')`;
    const { results, stdout } = await session.done('execute_code', { code });
    expect(stdout).toBe('itself\n');
    expect(results).toMatchObject([
      { 'text/html': '<b>x</b>' },
      { 'text/markdown': '# t' },
      { 'text/latex': '$x$' },
      { 'application/json': { a: 1 } },
      { 'image/svg+xml': '<svg/>' },
      { 'text/x-mine': 'mine' },
      { 'image/png': 'iVBORw0K' },
    ]);
  });

  test('finds the text of what cells define', async () => {
    await using session = await open();
    const code = `
import inspect
from dataclasses import dataclass
from enum import Enum
def reads(cls):
    print(inspect.getsource(cls), end='')
    return cls
@reads
@dataclass
class Point:
    x: int = 1
class Color(Enum):
    RED = 1
def make():
    class Inner:
        y = 2
    return Inner
%time 1
print(inspect.getsource(Color), inspect.getsourcelines(make())[1], inspect.getsourcefile(Point))`;
    expect(await session.prints(code)).toMatch(
      /^@reads\n@dataclass\nclass Point:\n {4}x: int = 1\nCPU[\s\S]*\nclass Color\(Enum\):\n {4}RED = 1\n 15 <cell 1/,
    );
    await session.prints('old = Point\nclass Point:\n    def other(self): return 3');
    expect(await session.prints('print(inspect.getsource(Point))')).toContain('def other(self)');
    expect((await session.cell('inspect.getsource(type("No", (), {}))')).error).toMatch(/^OSError/);
  });
});
