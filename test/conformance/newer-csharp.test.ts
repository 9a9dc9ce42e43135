import { expect, inject, test } from 'vitest';
import { lentSession } from '../support/lent-session.ts';
import { compiled } from '../support/matrix.ts';
import { runOnce } from '../support/rest-client.ts';

const { url, wsUrl } = inject('server');
const cells = (await compiled()).filter(({ language }) => language === 'csharp');

/** What a newer C# has, and what a compiler that lacks it is asked to say of it: found in the text, or in what the compiler says. */
const PROGRAMS: readonly (readonly [code: string, features: readonly string[]])[] = [
  [
    `using P = (int X, int Y);
object o = 5;
Console.WriteLine(o is int and > 3 or < 0);
Console.WriteLine(new[] { 1 } is [1]);
const string a = "x"; const string b = $"{a}y";
Console.WriteLine("a"u8.Length);
string? none = null;
file class F { }`,
    [
      'names for any type',
      'patterns of C# 9',
      'list patterns',
      'constant interpolated strings',
      'UTF-8 strings',
      'nullable reference types',
      'types of one file',
    ],
  ],
  ['int G() { static int H() => 2; return H(); } Console.WriteLine(G());', ['static local functions']],
  ['interface I { int F() => 4; } class C : I {} Console.WriteLine(1);', ['members of interfaces']],
  ['nint n = 5; Console.WriteLine(n);', ['native integers']],
  ['Func<int, int, int> f = (_, _) => 1; Console.WriteLine(f(1, 2));', ['discards as parameters']],
];

test.for(cells)(
  'what C# learned since version 7 runs on $runtimeType, or is named',
  async ({ runtimeType }) => {
    // A cell is told the same, and needs no container of its own.
    await using session = await lentSession(wsUrl, { language: 'csharp', runtimeType });
    const [first, ...others] = PROGRAMS.map(([code]) => code);
    const ends = [await runOnce(url, { language: 'csharp', runtimeType, code: first })];
    for (const code of others) ends.push((await session.cell(code)).result);
    for (const [i, { outcome, stderr }] of ends.entries()) {
      if (outcome === 'ok') continue;
      const [code, features] = PROGRAMS[i]!;
      for (const feature of [...features, "Mono's C# compiler (mcs"]) expect(stderr, code).toContain(feature);
    }
  },
);
