import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { DapClient } from '../support/dap-client.ts';
import { dapSchema } from '../support/dap-schema.ts';
import { compiled } from '../support/matrix.ts';
import { TestSession } from '../support/session.ts';

/** The debugger of C# through the door, as an editor speaks to it. */
const { url: base, wsUrl } = inject('server');
const rows = (await compiled()).filter(({ language }) => language === 'csharp');

const FILES = {
  'app/main.cs': `enum Unit { One = 1, Two }
class Box {
    public Unit Unit = Unit.One;
    public string Name { get; set; } = "box";
    public int Twice => Numbers.Count * 2;
    public List<int> Numbers = Enumerable.Range(0, 500).ToList();
}
int Add(int one, int two) {
    // The sum.
    var total = one + two;
    return total;
}
var box = new Box();
for (var i = 0; i < 5; i++) Console.WriteLine("sum " + Add(i, (int)box.Unit));
Console.WriteLine(Late.Word() + args[0]);
try { throw new ArgumentException("caught"); } catch (ArgumentException) { Console.Error.WriteLine("said"); }
throw new InvalidOperationException("nobody catches it");
`,
  'app/other.cs': `static class Late {
    public static string Word() {
        var word = "late ";
        return word;
    }
}
`,
  'broken.cs': 'int one = "two";\n',
  'crowd.cs': `using System.Diagnostics;
using System.Threading;
var gate = new ManualResetEvent(false);
void Work(WaitHandle door, string name) {
    door.WaitOne();
    Console.WriteLine(name);
}
var threads = new[] { "one", "two" }.Select(name => new Thread(() => Work(gate, name)) { Name = name }).ToList();
foreach (var each in threads) each.Start();
gate.Set();
foreach (var each in threads) each.Join();
var left = Process.Start(new ProcessStartInfo("sh", "-c \\"echo child; sleep 1000 & exit 7\\"") { UseShellExecute = false });
left.WaitForExit();
Console.WriteLine(left.ExitCode);
`,
  'greedy.cs': `var held = new List<byte[]>();
while (true) {
    var piece = new byte[8 << 20];
    for (var i = 0; i < piece.Length; i += 4096) piece[i] = 1;
    held.Add(piece);
}
`,
  'stuck.cs': 'Console.WriteLine("begun");\nvar round = 0;\nwhile (true) round++;\n',
  // Says in place of its runtime, on whatever is open, what none would.
  'evil.cs': `using System.Runtime.InteropServices;
class C { [DllImport("libc")] public static extern IntPtr write(int file, byte[] bytes, IntPtr count); }
var packet = new byte[] { 127, 255, 255, 255, 0, 0, 0, 1, 0, 64, 100, 2 };
for (var file = 3; file < 64; file++) C.write(file, packet, (IntPtr)packet.Length);
while (true) System.Threading.Thread.Sleep(1000);
`,
};

/** The debugger's own readers, and what tries them (test/support/hostile-runtime.cs). */
const at = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const READERS = globSync(at('docker/dotnet/mono/debugger/*.cs')).filter(path => basename(path) !== 'main.cs');
const HOSTILE = at('test/support/hostile-runtime.cs');
const SEED = '20261130';

let faults: Awaited<ReturnType<typeof dapSchema>>;
beforeAll(async () => {
  await using session = await TestSession.open(wsUrl, { language: 'python', runtimeType: 'Python' });
  await session.client.call('debug.start', { sessionId: session.id });
  faults = await dapSchema(session);
});

const breakAt = (client: DapClient, path: string, ...breakpoints: object[]) =>
  client.ask('setBreakpoints', { source: { path: `/workspace/${path}` }, breakpoints });

// biome-ignore lint/suspicious/noExplicitAny: whatever a debugger said
const named = (variables: any[], name: string) => variables.find(variable => variable.name === name);

describe.each(rows)('a debugger of $name', ({ language, runtimeType }) => {
  // Containers are dear: one for all that is tried.
  test('stops, looks, steps, changes and ends, and what attacks or leaves it goes', {
    timeout: 300_000,
  }, async () => {
    await using session = await TestSession.open(wsUrl, { language, runtimeType, memoryLimitMB: 512 });
    for (const [path, content] of Object.entries(FILES)) await session.done('write_file', { path, content });
    const start = async () => {
      const { url } = await session.client.call('debug.start', { sessionId: session.id });
      return DapClient.connect(base.replace('http', 'ws') + url);
    };

    using client = await start();
    await client.launch({ program: 'app', args: ['"x" y'] }, async () => {
      const set = await breakAt(
        client,
        'app/main.cs',
        { line: 9, condition: 'one > 0 && two == 1', hitCondition: '2' },
        { line: 11, logMessage: 'back with {total}, {nobody}' },
        { line: 99 },
        { line: 14, condition: 'Add(1, 2)' },
      );
      expect(set.breakpoints).toMatchObject([
        { verified: true, line: 10 },
        { verified: true, line: 11 },
        { verified: false, message: 'There is no code here or below' },
        { verified: false, message: 'Methods are not called here, but for ToString()' },
      ]);
      expect((await breakAt(client, 'app/other.cs', { line: 4 })).breakpoints).toMatchObject([
        { verified: true },
      ]);
      await client.ask('setExceptionBreakpoints', { filters: ['uncaught'] });
    });
    const { body } = await client.event('stopped');
    expect(body).toMatchObject({ reason: 'breakpoint', allThreadsStopped: true });
    const { threadId } = body;
    const frames = async () => (await client.ask('stackTrace', { threadId })).stackFrames;
    const goOn = async (how = 'continue') => {
      const stopped = client.next('stopped');
      await client.ask(how, { threadId });
      const { reason } = (await stopped).body;
      const [{ name, line, source }] = await frames();
      return { reason, at: `${name} ${source.path}:${line}` };
    };
    const [frame, caller] = await frames();
    expect(frame).toMatchObject({ name: 'Add', line: 10, source: { path: '/workspace/app/main.cs' } });
    expect(caller).toMatchObject({ name: 'Main', line: 14 });
    const scopeOf = async (frameId: number) =>
      (await client.ask('scopes', { frameId })).scopes[0].variablesReference;
    const list = async (variablesReference: number, wish = {}) =>
      (await client.ask('variables', { variablesReference, ...wish })).variables;
    const locals = await scopeOf(frame.id);
    const shown = (await list(locals)).map(
      ({ name, value }: { name: string; value: string }) => `${name}=${value}`,
    );
    expect(shown).toEqual(expect.arrayContaining(['one=2', 'two=1']));
    await client.ask('setVariable', { variablesReference: locals, name: 'two', value: '20 * 2' });
    for (const value of ['"5"', 'null'])
      await expect(
        client.ask('setVariable', { variablesReference: locals, name: 'two', value }),
      ).rejects.toThrow('It is no number');
    // Whatever comes of what is no path: it goes on.
    await breakAt(client, '\0', { line: 1 }).catch(() => {});
    const evaluate = async (expression: string, frameId = frame.id, context = 'watch') =>
      (await client.ask('evaluate', { expression, frameId, context })).result;
    expect(await evaluate('one * two == 80 && !false')).toBe('true');
    await expect(evaluate('nobody')).rejects.toThrow("The name 'nobody' does not exist here");
    await expect(evaluate('new Box()')).rejects.toThrow('new is not evaluated here');
    expect(await evaluate('box.Name + box.Numbers[499] + box.Twice', caller.id)).toBe('"box4991000"');
    await expect(evaluate('box.Twice', caller.id, 'hover')).rejects.toThrow(
      'It would run code of the program',
    );
    const box = named(await list(await scopeOf(caller.id)), 'box');
    const members = await list(box.variablesReference);
    expect(named(members, 'Unit').value).toBe('One');
    await client.ask('setVariable', {
      variablesReference: box.variablesReference,
      name: 'Name',
      value: '"new"',
    });
    expect(await evaluate('box.Name.Length', caller.id)).toBe('3');
    const set = { variablesReference: box.variablesReference, name: 'Unit', value: 'Unit.Two' };
    expect(await client.ask('setVariable', set)).toMatchObject({ value: 'Two' });
    expect((await client.ask('threads')).threads).toContainEqual({ id: threadId, name: 'Main' });
    const numbers = named(members, 'Numbers');
    expect(numbers).toMatchObject({ type: 'List<int>', indexedVariables: 500 });
    expect(await list(numbers.variablesReference, { filter: 'indexed', start: 498, count: 5 })).toMatchObject(
      [
        { name: '[498]', value: '498' },
        { name: '[499]', value: '499' },
      ],
    );
    expect(await goOn('next')).toEqual({ reason: 'step', at: 'Add /workspace/app/main.cs:11' });
    expect(await goOn('stepOut')).toEqual({ reason: 'step', at: 'Main /workspace/app/main.cs:14' });
    let into = await goOn('stepIn');
    // The line of a loop has several places where it can be stood.
    for (let i = 0; i < 4 && into.at.startsWith('Main'); i++) into = await goOn('stepIn');
    expect(into).toEqual({ reason: 'step', at: 'Add /workspace/app/main.cs:8' });
    await breakAt(client, 'app/main.cs');
    expect(await goOn()).toEqual({ reason: 'breakpoint', at: 'Late.Word /workspace/app/other.cs:4' });
    await client.ask('setExceptionBreakpoints', { filters: ['all'] });
    expect(await goOn()).toEqual({ reason: 'exception', at: 'Main /workspace/app/main.cs:16' });
    expect(await client.ask('exceptionInfo', { threadId })).toMatchObject({ breakMode: 'always' });
    await client.ask('setExceptionBreakpoints', { filters: ['uncaught'] });
    expect(await goOn()).toEqual({ reason: 'exception', at: 'Main /workspace/app/main.cs:17' });
    expect(await client.ask('exceptionInfo', { threadId })).toMatchObject({
      exceptionId: 'InvalidOperationException',
      description: 'nobody catches it',
    });
    await client.ask('continue', { threadId });
    expect((await client.event('exited')).body.exitCode).toBe(1);
    await client.event('terminated');
    expect(client.output('stdout')).toBe('sum 1\nsum 2\nsum 42\nsum 5\nsum 6\nlate "x" y\n');
    expect(client.output('console')).toMatch(
      /^back with 1, The name 'nobody' does not exist here\nback with 2, /,
    );
    expect(client.output('stderr')).toMatch(/^said\n/);
    await client.ask('disconnect');
    expect(await client.ended()).toEqual({ code: 1000, reason: '' });
    expect(faults(client.messages)).toEqual([]);

    {
      using broken = await start();
      await expect(broken.launch({ program: 'broken.cs' })).rejects.toThrow('broken.cs does not compile');
      expect(broken.output('stderr')).toContain('/workspace/broken.cs(1,11): error CS0029');
      expect(faults(broken.messages)).toEqual([]);
    }
    {
      using plain = await start();
      await plain.launch({ program: 'stuck.cs', noDebug: true });
      await expect.poll(() => plain.output('stdout')).toBe('begun\n');
      await plain.ask('terminate');
      expect((await plain.event('exited')).body.exitCode).toBe(143);
      expect(faults(plain.messages)).toEqual([]);
    }
    {
      using crowd = await start();
      await crowd.launch(
        { program: 'crowd.cs' },
        async () => void (await breakAt(crowd, 'crowd.cs', { line: 6 })),
      );
      const stops = [(await crowd.event('stopped')).body.threadId];
      const { threads } = await crowd.ask('threads');
      const nameOf = (id: number) => threads.find((thread: { id: number }) => thread.id === id)?.name;
      const [top] = (await crowd.ask('stackTrace', { threadId: stops[0] })).stackFrames;
      for (const context of ['watch', 'hover', 'repl', 'clipboard'])
        expect((await crowd.ask('evaluate', { expression: 'name', frameId: top.id, context })).result).toBe(
          `"${nameOf(stops[0])}"`,
        );
      const again = crowd.next('stopped');
      await crowd.ask('continue', { threadId: stops[0] });
      stops.push((await again).body.threadId);
      expect(stops.map(nameOf).sort()).toEqual(['one', 'two']);
      await crowd.ask('continue', { threadId: stops[1] });
      await crowd.event('terminated');
      expect(crowd.output('stdout')).toMatch(/^(one\ntwo|two\none)\nchild\n7\n$/);
      using greedy = await start();
      await greedy.launch({ program: 'greedy.cs' });
      await greedy.event('terminated');
      expect(greedy.output('important')).toContain('Memory limit exceeded (memory_limit)');
      expect(faults([...crowd.messages, ...greedy.messages])).toEqual([]);
    }
    {
      using evil = await start();
      await evil.launch({ program: 'evil.cs' });
      await evil.event('terminated');
      expect(evil.output('important')).toBe("The program can't be debugged any longer, and is ended\n");
      expect(faults(evil.messages)).toEqual([]);
    }
    for (const path of [...READERS, HOSTILE])
      await session.done('write_file', {
        path: `readers/${basename(path)}`,
        content: readFileSync(path, 'utf8'),
      });
    const compile =
      'mcs -nologo -nowarn:649 -langversion:latest -out:/tmp/hostile.exe *.cs && exec mono /tmp/hostile.exe';
    const { stdout, exitCode } = await session.shell('sh', ['-c', `cd readers && ${compile} ${SEED}`], {
      timeout: 100,
    });
    expect({ stdout, exitCode }).toEqual({ stdout: 'well\n', exitCode: 0 });

    const stuck = await start();
    await stuck.launch({ program: '/workspace/stuck.cs', stopOnEntry: true });
    const entered = await stuck.event('stopped');
    expect(entered.body.reason).toBe('entry');
    const paused = stuck.next('stopped');
    await stuck.ask('continue', { threadId: entered.body.threadId });
    await expect.poll(() => stuck.output('stdout')).toBe('begun\n');
    await stuck.ask('pause', { threadId: entered.body.threadId });
    expect((await paused).body.reason).toBe('pause');
    stuck.socket.terminate();
    const left = async () => {
      const { stdout } = await session.shell('sh', ['-c', 'cat /proc/[0-9]*/cmdline | tr "\\0" " "']);
      return /debugger/.test(stdout);
    };
    await expect.poll(left).toBe(false);
  });
});
