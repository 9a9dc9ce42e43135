import { describe, expect, inject, test } from 'vitest';
import { lentSession } from '../support/lent-session.ts';
import { compiled } from '../support/matrix.ts';
import { runOnce } from '../support/rest-client.ts';
import { TestSession } from '../support/session.ts';

/** Languages that are compiled: a stage of its own with its own limits and result, in one-shots and in cells. */
const server = inject('server');

interface Sources {
  /**
   * Told by its standard input, so that it is compiled once for all of it: it crashes, or prints and then loops, sleeps or
   * takes all memory; told anything else, it prints its arguments and that, and ends with 3.
   */
  readonly obeys: string;
  readonly hello: string;
  /** Prints 5. */
  readonly together: { readonly code: string; readonly files: { path: string; content: string }[] };
  /** Fails in line 3. */
  readonly broken: string;
  readonly brokenWhere: RegExp;
  /** The compiler's errors about it are megabytes. */
  readonly endlessErrors: string;
}

const SOURCES: Readonly<Record<string, Sources>> = {
  go: {
    hello: 'package main\nimport "fmt"\nfunc main() { fmt.Println("hello") }',
    together: {
      code: 'package main\nimport "fmt"\nfunc main() { fmt.Println(add(2, 3)) }',
      files: [
        { path: 'add.go', content: 'package main\nfunc add(a, b int) int { return a + b }' },
        { path: 'add_test.go', content: 'package main\nthis is no Go' },
        { path: 'notes/other.go', content: 'package notes' },
      ],
    },
    obeys: `package main
import ("fmt"; "io"; "os"; "time")
func main() {
  told, _ := io.ReadAll(os.Stdin)
  switch string(told) {
  case "crash":
    var p *int
    *p = 1
  case "loop":
    fmt.Println("before")
    for {}
  case "sleep":
    fmt.Println("before")
    time.Sleep(time.Hour)
  case "allocate":
    fmt.Println("before")
    var all [][]byte
    for { b := make([]byte, 1<<20); for i := range b { b[i] = 1 }; all = append(all, b) }
  }
  fmt.Printf("%q %s\\n", os.Args[1:], told)
  os.Exit(3)
}`,
    broken: 'package main\nfunc main() {\n  nope\n}',
    brokenWhere: /main\.go:3:3: undefined: nope/,
    endlessErrors: `package main\nfunc main() {\n${'x1234567890 = 1\n'.repeat(5000)}}`,
  },
  csharp: {
    hello: 'Console.WriteLine("hello");',
    together: {
      code: 'Console.WriteLine(new Sum().Of(2, 3));',
      files: [{ path: 'lib/Sum.cs', content: 'class Sum { public int Of(int a, int b) { return a + b; } }' }],
    },
    obeys: `
var told = Console.In.ReadToEnd();
if (told == "crash") throw new InvalidOperationException("no");
if (told == "loop") {
  Console.WriteLine("before");
  while (true) { }
}
if (told == "sleep") {
  Console.WriteLine("before");
  System.Threading.Thread.Sleep(-1);
}
if (told == "allocate") {
  Console.WriteLine("before");
  var all = new List<byte[]>();
  while (true) { var b = new byte[1 << 20]; for (var i = 0; i < b.Length; i += 4096) b[i] = 1; all.Add(b); }
}
Console.WriteLine($"[{string.Join(" ", args.Select(word => "\\"" + word + "\\""))}] {told}");
return 3;`,
    broken: 'Console.WriteLine("x");\n\nint y = "nope";',
    brokenWhere: /Program\.cs\(3,\d+\): error CS0029/,
    endlessErrors: 'x1234567890 = 1;\n'.repeat(5000),
  },
};

describe.for(await compiled())('a program in $name', ({ language, runtimeType }) => {
  const sources = SOURCES[language]!;
  const run = (code: string, more: Record<string, unknown> = {}) =>
    runOnce(server.url, { language, runtimeType, code, ...more });

  test('is compiled and run, and says what became of each', async () => {
    const end = await run(sources.obeys, { args: ['a b', '$x'], stdin: 'in' });
    expect(end).toMatchObject({
      outcome: 'nonzero_exit',
      exitCode: 3,
      stdout: '["a b" "$x"] in\n',
      stderr: '',
    });
    expect(end.compile).toMatchObject({ outcome: 'ok', exitCode: 0 });
    expect(end.compile.durationMs).toBeGreaterThan(0);
  });

  test('is a cell too, compiled once as long as it does not change, and again when what was kept is removed', async () => {
    await using session = await TestSession.open(server.wsUrl, { language, runtimeType });
    expect(await session.prints(sources.hello)).toBe('hello\n');
    const built = 'ls /tmp/program-* | wc -l';
    const count = async () => (await session.shell('sh', ['-c', built])).stdout;
    const before = await count();
    const again = await session.cell(sources.hello);
    expect(again).toMatchObject({
      success: true,
      result: { stdout: 'hello\n', executionCount: 2, results: [] },
    });
    expect(await count()).toBe(before);
    expect((await session.done('list_directory', { includeHidden: true })).entries).toEqual([]);
    await session.shell('sh', ['-c', 'rm -f /tmp/program-*']);
    expect(await session.prints(sources.hello)).toBe('hello\n');
  });

  // A container has the compiler that Go has elsewhere, and does with what it made as with C#'s.
  if (language === 'go' && runtimeType === 'Docker') return;
  test('has a compile timeout of its own', async () => {
    const end = await run(sources.hello, { config: { compileTimeout: 0.01, timeout: 20 } });
    expect(end).toMatchObject({ outcome: 'compile_error', stdout: '' });
    expect(end.compile.outcome).toMatch(/^(wall|cpu)_timeout$/);
    expect(end.stderr).toMatch(/ime limit exceeded/);
  });

  test('is held to its time and its memory once it runs', async () => {
    expect(await run(sources.obeys, { stdin: 'loop', config: { cpuTime: 0.5 } })).toMatchObject({
      outcome: 'cpu_timeout',
      stdout: 'before\n',
      compile: { outcome: 'ok' },
    });
    expect(await run(sources.obeys, { stdin: 'allocate', config: { memoryLimit: 256 } })).toMatchObject({
      outcome: 'memory_limit',
      stdout: 'before\n',
    });
  });

  test('is a cell that is fed, fails in words when it does not compile, crashes or takes too long, and goes on', async () => {
    await using session = await lentSession(server.wsUrl, { language, runtimeType });
    const broken = await session.cell(sources.broken);
    expect(broken).toMatchObject({
      success: false,
      result: { outcome: 'compile_error', error: { name: 'CompileError' } },
    });
    expect(broken.error).toMatch(/^CompileError: /);
    expect(broken.result.error.traceback).toMatch(/:3:3|\(3,/);
    const crashed = await session.cell(sources.obeys, { stdin: 'crash' });
    expect(crashed).toMatchObject({ success: false });
    expect(crashed.result.stderr).toMatch(/panic|InvalidOperationException/);
    expect(await session.cell(sources.obeys, { stdin: 'sleep', timeout: 2 })).toMatchObject({
      success: false,
      result: { outcome: 'wall_timeout', stdout: 'before\n' },
    });
    const fed = await session.cell(sources.obeys, { stdin: 'typed' });
    expect(fed.result).toMatchObject({ exitCode: 3, stdout: '[] typed\n' });
    expect(await session.command('restart_context')).toMatchObject({ success: true });
  });

  test('that does not compile is a compile_error with the compiler’s words, and never runs', async () => {
    const end = await run(sources.broken);
    expect(end).toMatchObject({
      status: 'failed',
      outcome: 'compile_error',
      errorType: 'compilation_error',
      stdout: '',
      startedAt: null,
    });
    expect(end.stderr).toMatch(sources.brokenWhere);
    expect(end.compile.stderr).toMatch(sources.brokenWhere);
    expect(end.compile).toMatchObject({ outcome: 'nonzero_exit' });
    expect(end.exitCode).toBe(end.compile.exitCode);
  });

  test('is compiled with the source files that come with it', async () => {
    const end = await run(sources.together.code, { files: sources.together.files });
    expect(end).toMatchObject({ outcome: 'ok', stdout: '5\n' });
  });

  test('whose compiler never stops complaining is bounded', async () => {
    const end = await run(sources.endlessErrors);
    expect(end).toMatchObject({ outcome: 'compile_error' });
    expect(end.stderr.length).toBeLessThan(3 << 20);
  });
});

describe.for((await compiled()).filter(({ language }) => language === 'csharp'))(
  'C# on $runtimeType',
  cell => {
    test('runs by the names that people know', async () => {
      await using session = await lentSession(server.wsUrl, {
        language: cell.language,
        runtimeType: cell.runtimeType,
      });
      await session.done('write_file', { path: 'app/Program.cs', content: 'Console.WriteLine(args[0]);' });
      const dotnet = (args: string[], more = {}) => session.shell('dotnet', args, more);
      expect(await dotnet(['run', '--', 'hi'], { workingDirectory: 'app' })).toMatchObject({
        stdout: 'hi\n',
      });
      expect(await dotnet(['script', 'app/Program.cs', 'ho'])).toMatchObject({ stdout: 'ho\n' });
      expect((await dotnet(['--version'])).stdout).toMatch(/^(Mono )?\d+\.\d+/);
    });

    // What may stand in one program does, since each is compiled for most of a second.
    test.for([
      [
        'usings, types, functions, lambdas, initializers, using, do and try around statements and strings that look like code',
        `using System.Text;
var b = new StringBuilder("x"); Console.Write(b); Console.Write(new P().N);
Console.Write("," + Twice(4) + Same<string>("a") + ",");
Console.Write("class X { }" + @"""}" + $"{(1 > 0 ? "}" : "{")}" + '{');
Func<int, int> f = x => { return x + 1; };
var a = new[] { f(1) };
Console.Write("," + a[0]);
using (var w = new StringWriter()) { w.Write("w"); Console.Write(w); }
do { try { throw new Exception("e"); } catch (Exception e) { Console.Write(e.Message); } finally { } } while (false);
static int Twice(int n) => n * 2;
T Same<T>(T value) { return value; }
class P { public int N = 4; }`,
        'x4,8a,class X { }"}}{,2we',
      ],
      [
        'an awaited task and a comment at the end',
        'await Task.Delay(1);\nConsole.Write("done"); // class Y {',
        'done',
      ],
      [
        'a Main of its own',
        'class P { static int Main(string[] args) { System.Console.Write("main"); return 0; } }',
        'main',
      ],
      ['an early return', 'if (args.Length == 0) return;\nConsole.Write("not here");', ''],
    ] as const)('takes a bare program with %s', async ([, code, printed]) => {
      const { language, runtimeType } = cell;
      await using session = await lentSession(server.wsUrl, { language, runtimeType });
      const { result } = await session.cell(code);
      expect(result, result.stderr).toMatchObject({ outcome: 'ok', stdout: printed });
    });
  },
);

describe.for((await compiled()).filter(({ language }) => language === 'go'))('Go on $runtimeType', cell => {
  test('runs, vets and tests what lies in /workspace', async () => {
    const { language, runtimeType } = cell;
    await using session = await lentSession(server.wsUrl, { language, runtimeType });
    const write = (path: string, content: string) => session.done('write_file', { path, content });
    await write('go.mod', 'module example\n\ngo 1.19\n');
    await write('twice/twice.go', 'package twice\n\nfunc Twice(n int) int { return n * 2 }\n');
    await write(
      'main.go',
      'package main\n\nimport (\n\t"example/twice"\n\t"fmt"\n)\n\nfunc main() { fmt.Println(twice.Twice(21)) }\n',
    );
    await write(
      'twice/twice_test.go',
      'package twice\n\nimport "testing"\n\nfunc TestTwice(t *testing.T) { if Twice(2) != 4 { t.Fail() } }\n',
    );
    // Far more than it takes, on a machine that does much else.
    const go = (...args: string[]) => session.shell('go', args, { timeout: 100 });
    expect(await go('run', 'main.go')).toMatchObject({ exitCode: 0, stdout: '42\n' });
    expect(await go('vet', './...')).toMatchObject({ exitCode: 0 });
    // A container would vet all of the standard library that tests stand on first, which takes a core for seconds.
    const unvetted = runtimeType === 'Docker' ? ['-vet=off'] : [];
    expect(await go('test', ...unvetted, './...')).toMatchObject({ exitCode: 0 });
  });

  // A container has the same compiler, and no Python beside it that does the stopping.
  if (cell.runtimeType === 'Docker') return;
  test('refuses what is no program', async () => {
    const { language, runtimeType } = cell;
    const end = await runOnce(server.url, { language, runtimeType, code: 'package other\nfunc main() {}' });
    expect(end).toMatchObject({ outcome: 'compile_error', stderr: expect.stringContaining('main package') });
  });

  test('keeps nobody’s place for longer than its cell may take, even when all that starts is stopped', async () => {
    const { language, runtimeType } = cell;
    await using session = await lentSession(server.wsUrl, { language, runtimeType });
    const code = 'package main\nimport "fmt"\nfunc main() { fmt.Println("hi") }';
    expect(await session.prints(code)).toBe('hi\n');
    const stop = `
import os, signal, time
open('up', 'w').close()
while True:
    for pid in os.listdir('/proc'):
        if pid.isdigit() and int(pid) not in (1, os.getpid()):
            try: os.kill(int(pid), signal.SIGSTOP)
            except OSError: pass
    time.sleep(0.01)`;
    await session.done('write_file', { path: 'stop.py', content: stop });
    await session.done('execute_shell', { commandName: 'python3', args: ['stop.py'], background: true });
    await expect
      .poll(async () => (await session.command('read_file', { path: 'up' })).success, { timeout: 60_000 })
      .toBe(true);
    // Whether it is fast enough is its luck; it is answered in any case.
    const { result, error } = await session.cell(code, { timeout: 2 });
    if (result) expect(['ok', 'compile_error', 'wall_timeout', 'cpu_timeout']).toContain(result.outcome);
    else expect(error).toMatch(/sandbox was lost/);
  });
});
