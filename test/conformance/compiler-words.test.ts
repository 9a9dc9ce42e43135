import { describe, expect, inject, it } from 'vitest';
import { lentSession } from '../support/lent-session.ts';
import { compiled } from '../support/matrix.ts';
import { runOnce } from '../support/rest-client.ts';

const { url, wsUrl } = inject('server');
const cells = await compiled();

/** Programs that Go refuses in terms of its own, and what a student is told beside them. */
const GO: [string, string, { path: string; content: string }[], string, RegExp][] = [
  [
    'another package',
    'package tool\nfunc F() {}',
    [],
    'exactly one main package',
    /`package main` with a `func main`/,
  ],
  ['no func main', 'package main\nfunc Main() {}', [], 'main is undeclared', /begins with `func main\(\)`/],
  ['cgo', 'package main\nimport "C"\nfunc main() {}', [], 'no Go source files', /needs a C compiler/],
  [
    'build tags',
    'package main\nimport "m/w"\nfunc main() { w.F() }',
    [
      { path: 'go.mod', content: 'module m\n' },
      { path: 'w/w.go', content: '//go:build windows\n\npackage w\nfunc F() {}' },
    ],
    'exclude all Go files',
    /build tag such as `\/\/go:build windows`/,
  ],
  ['no package', 'func main() {}', [], "expected 'package'", /that of a program is `package main`/],
];

/** Of a tour of the language: what Go learned from 1.21 to 1.23. */
const CURRENT_GO = `package main

import (
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"os"
	"slices"
)

func upTo(n int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
}

func main() {
	slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey { return slog.Attr{} }
		return a
	}})).Info("hello")
	for i := range upTo(2) {
		fmt.Println(i, min(i, 1), max(i, 1))
	}
	fmt.Println(slices.Sorted(maps.Keys(map[string]int{"b": 1, "a": 2})))
}`;

describe.for(cells.filter(({ language }) => language === 'go'))('Go on $runtimeType', ({ runtimeType }) => {
  // The words are the compiler's and what they mean is ours: in a container both are the same.
  it.for(runtimeType === 'Docker' ? GO.slice(0, 1) : GO)(
    'explains %s',
    async ([, code, files, words, meaning]) => {
      const end = await runOnce(url, { language: 'go', runtimeType, code, files });
      expect(end.outcome).toBe('compile_error');
      expect(end.stderr).toContain(words);
      expect(end.stderr).toMatch(meaning);
      expect(end.compile.stderr + end.compile.stdout).not.toMatch(meaning);
    },
  );

  it('is a current one', async () => {
    const end = await runOnce(url, { language: 'go', runtimeType, code: CURRENT_GO });
    expect(end).toMatchObject({ stderr: '', outcome: 'ok' });
    expect(end.stdout).toBe('level=INFO msg=hello\n0 0 1\n1 1 1\n[a b]\n');
  });
});

it('Go is the same on every runtime', async () => {
  const { runtimes } = (await (await fetch(`${url}/api/language/go`)).json()) as {
    runtimes: { available: boolean; version: string }[];
  };
  const versions = runtimes.filter(({ available }) => available).map(({ version }) => version);
  expect(new Set(versions).size).toBe(1);
});

const inClass = (main: string) => `using System;\nusing System.Threading.Tasks;\nclass P {\n  ${main}\n}\n`;

type Main = readonly [code: string, stdout: string, exitCode: number];
const ASYNC_MAINS: readonly [Main, ...Main[]] = [
  [inClass('static async Task Main() { await Task.Delay(1); Console.WriteLine("x y"); }'), 'x y\n', 0],
  [
    inClass(
      'public static async Task<int> Main(string[] args) { await Task.Yield(); Console.WriteLine(string.Join(" ", args)); return 3; }',
    ),
    'x y\n',
    3,
  ],
  [inClass('static async Task<int> Main(string[] a) => await Task.FromResult(a.Length);'), '', 2],
  [inClass('static Task Main() { Console.WriteLine("x y"); return Task.CompletedTask; }'), 'x y\n', 0],
];

type Newer = readonly [code: string, features: readonly string[]];
/** What a newer C# has, each found in the text. */
const NEWER_CSHARP: readonly [Newer, Newer] = [
  [
    'namespace N;\nclass P { static void Main() { System.Console.WriteLine(1); } }',
    ['file-scoped namespaces'],
  ],
  [
    `Console.WriteLine(new P(1).X);
Console.WriteLine(new Q { X = 1 }.X);
string s = null; s ??= "a"; Console.WriteLine(s);
var t = 1 switch { 1 => "a", _ => "b" }; Console.WriteLine(t);
var a = new[] {1, 2, 3}; Console.WriteLine(a[1..2].Length);
Console.WriteLine(a[^1]);
List<int> b = new(); Console.WriteLine(b.Count);
object o = 1; Console.WriteLine(o is not null);
int[] c = [1, 2]; Console.WriteLine(c.Length);
record P(int X);
class Q { public int X { get; init; } }`,
    [
      'records',
      'init accessors',
      '??=',
      'switch expressions',
      'ranges',
      'indices from the end',
      'target-typed new',
      'patterns',
      'collection expressions',
    ],
  ],
];

describe.for(cells.filter(({ language }) => language === 'csharp'))(
  'C# on $runtimeType',
  ({ runtimeType }) => {
    const run = (code: string, more = {}) => runOnce(url, { language: 'csharp', runtimeType, code, ...more });

    it('starts at an asynchronous Main', async () => {
      await using session = await lentSession(wsUrl, { language: 'csharp', runtimeType });
      const [[first], ...others] = ASYNC_MAINS;
      const ends = [await run(first, { args: ['x', 'y'] })];
      for (const [code] of others) {
        await session.done('write_file', { path: 'main.cs', content: code });
        ends.push(await session.shell('dotnet', ['script', 'main.cs', 'x', 'y']));
      }
      expect(ends.map(({ stdout, exitCode, stderr }) => [stdout, exitCode, stderr])).toEqual(
        ASYNC_MAINS.map(([, stdout, exitCode]) => [stdout, exitCode, '']),
      );
    });

    it('runs what a newer C# knows, or says which compiler this is and what it lacks', async () => {
      // A cell is told the same (go-words.test.ts), and needs no container of its own.
      await using session = await lentSession(wsUrl, { language: 'csharp', runtimeType });
      const [[first], [second]] = NEWER_CSHARP;
      const ends = [await run(first), (await session.cell(second)).result];
      for (const [i, { outcome, stderr }] of ends.entries()) {
        if (outcome === 'ok') continue;
        expect(stderr).toMatch(
          /note: this is Mono's C# compiler \(mcs [\d.]+\), which knows C# up to version 7/,
        );
        for (const feature of NEWER_CSHARP[i]![1]) expect(stderr).toContain(feature);
      }
      const plain = await run('class P { static void Main() { int x = "a"; } }');
      expect(plain.stderr).toContain('CS0029');
      expect(plain.stderr).not.toContain('note:');
    });
  },
);
