import { beforeAll, describe, expect, inject, test } from 'vitest';
import { DapClient } from '../support/dap-client.ts';
import { dapSchema } from '../support/dap-schema.ts';
import { lentSession } from '../support/lent-session.ts';
import { available } from '../support/matrix.ts';
import { TestSession } from '../support/session.ts';

/** Go's debugger through the door, as an editor speaks to it. */
const { url: base, wsUrl } = inject('server');
const rows = (await available()).filter(({ language }) => language === 'go');

const FILES = {
  'main.go': `package main

import (
	"fmt"
	"os"
)

func add(one, two int) int {
	total := one + two
	return total
}

func main() {
	list := make([]int, 5000)
	list[4000] = 7
	for i := 0; i < 5; i++ {
		fmt.Println("sum", add(i, 1)+list[0])
	}
	fmt.Println(late())
	fmt.Fprintln(os.Stderr, os.Args[1], os.Getenv("WORD"))
	os.Stdin.Read(make([]byte, 1))
	panic("nobody catches it")
}
`,
  'other.go': `package main

func late() string {
	word := "late"
	return word
}
`,
  'stuck/main.go': `package main

import "os/exec"

func main() {
	exec.Command("sleep", "1000").Start()
	println("begun")
	for i := 0; ; i++ {
	}
}
`,
  'greedy/main.go': `package main

func main() {
	for held := [][]byte{}; ; {
		piece := make([]byte, 8<<20)
		for i := 0; i < len(piece); i += 4096 {
			piece[i] = 1
		}
		held = append(held, piece)
	}
}
`,
  // Several goroutines; what is left behind holds its output, which ends within a character and without a line.
  'crowd/main.go': `package main

import (
	"os"
	"os/exec"
	"strings"
	"sync"
)

func work(name string, gate chan bool, group *sync.WaitGroup) {
	defer group.Done()
	<-gate
	os.Stdout.WriteString(name)
}

func main() {
	gate, group := make(chan bool), &sync.WaitGroup{}
	for _, name := range []string{"one ", "two "} {
		group.Add(1)
		go work(name, gate, group)
	}
	close(gate)
	group.Wait()
	left := exec.Command("sleep", "1000")
	left.Stdout = os.Stdout
	left.Start()
	os.Stdout.WriteString(strings.Repeat("x", 1023) + strings.Repeat("é", 5000))
	os.Exit(len(os.Args))
}
`,
  'bad/main.go': 'package main\n\nimport "example.com/nowhere"\n\nfunc main() {\n\tnowhere.Go()\n}\n',
};

const CROWD = /^(one two |two one )x{1023}é{5000}$/;

let faults: Awaited<ReturnType<typeof dapSchema>>;
beforeAll(async () => {
  await using session = await TestSession.open(wsUrl, { language: 'python', runtimeType: 'Python' });
  await session.client.call('debug.start', { sessionId: session.id });
  faults = await dapSchema(session);
});

describe.each(rows)('a debugger of $name', { timeout: 300_000 }, ({ language, runtimeType }) => {
  const open = async (more: object = {}) => {
    const where = { language, runtimeType };
    const asksMore = Object.keys(more).length > 0;
    const session = await (asksMore
      ? TestSession.open(wsUrl, { ...where, ...more })
      : lentSession(wsUrl, where));
    for (const [path, content] of Object.entries(FILES)) await session.done('write_file', { path, content });
    return session;
  };
  const start = async (session: TestSession) => {
    const { url, adapter } = await session.client.call('debug.start', { sessionId: session.id });
    expect(adapter.name).toBe('delve');
    return DapClient.connect(base.replace('http', 'ws') + url);
  };
  const breakAt = (client: DapClient, path: string, ...breakpoints: object[]) =>
    client.ask('setBreakpoints', { source: { path: `/workspace/${path}` }, breakpoints });

  test('stops, looks, steps, changes and ends', async () => {
    await using session = await open();
    using client = await start(session);
    const launch = { program: 'main.go', args: ['said'], env: { WORD: 'again' }, stopOnEntry: true };
    await client.launch(launch, async () => {
      const set = await breakAt(
        client,
        'main.go',
        { line: 9, condition: 'one > 0', hitCondition: '2' },
        { line: 10, logMessage: 'back with {total}' },
        { line: 7 },
      );
      expect(set.breakpoints).toMatchObject([
        { verified: true, line: 9 },
        { verified: true, line: 10 },
        { verified: false, message: expect.stringContaining('could not find statement') },
      ]);
      const other = await breakAt(client, 'other.go', { line: 5 });
      expect(other.breakpoints).toMatchObject([{ verified: true, line: 5 }]);
      await client.ask('setExceptionBreakpoints', { filters: ['unrecovered-panic', 'runtime-fatal-throw'] });
    });
    const entry = (await client.event('stopped')).body;
    expect(entry.reason).toBe('entry');
    const stop = { threadId: entry.threadId };
    /** Goes on as told, to where it stops next. */
    const goOn = async (how = 'continue') => {
      const stopped = client.next('stopped');
      await client.ask(how, stop);
      const { body } = await stopped;
      stop.threadId = body.threadId;
      const [{ name, line, source, id }, caller] = (await client.ask('stackTrace', stop)).stackFrames;
      return { reason: body.reason, at: `${name} ${source?.path}:${line}`, id, caller, text: body.text };
    };
    const locals = async (frameId: number) => {
      const { scopes } = await client.ask('scopes', { frameId });
      return scopes[0].variablesReference as number;
    };
    const read = async (variablesReference: number, wish = {}) =>
      (await client.ask('variables', { variablesReference, ...wish })).variables;
    const first = await goOn();
    expect(first).toMatchObject({ reason: 'breakpoint', at: 'main.add /workspace/main.go:9' });
    expect(first.caller).toMatchObject({ name: 'main.main', line: 17 });
    const shown = (await read(await locals(first.id))).map(({ name, value }: Record<string, string>) => [
      name,
      value,
    ]);
    expect(shown).toEqual(
      expect.arrayContaining([
        ['one', '2'],
        ['two', '1'],
      ]),
    );
    const evaluate = (expression: string, context: string, frameId = first.id) =>
      client.ask('evaluate', { expression, frameId, context });
    for (const context of ['watch', 'hover', 'repl', 'clipboard'])
      expect(await evaluate('one * 40', context)).toMatchObject({ result: '80' });
    await expect(evaluate('nobody', 'watch')).rejects.toThrow('Unable to evaluate expression');
    expect(await goOn('next')).toMatchObject({ reason: 'step', at: 'main.add /workspace/main.go:10' });
    const back = await goOn('stepOut');
    expect(back).toMatchObject({ reason: 'step', at: 'main.main /workspace/main.go:17' });
    const ofMain = await read(await locals(back.id));
    const list = ofMain.find(({ name }: { name: string }) => name === 'list');
    expect(list.indexedVariables).toBe(5000);
    const page = await read(list.variablesReference, { filter: 'indexed', start: 4000, count: 2 });
    expect(page.map(({ name, value }: Record<string, string>) => [name, value])).toEqual([
      ['[4000]', '7'],
      ['[4001]', '0'],
    ]);
    await client.ask('setVariable', {
      variablesReference: list.variablesReference,
      name: '[0]',
      value: '40',
    });
    await breakAt(client, 'main.go');
    const late = await goOn();
    expect(late).toMatchObject({ reason: 'breakpoint', at: 'main.late /workspace/other.go:5' });
    const thrown = await goOn();
    expect(thrown.reason).toBe('exception');
    expect((await client.ask('exceptionInfo', stop)).description).toContain('nobody catches it');
    await expect(client.ask('restart')).rejects.toThrow('delve has no restart');
    await client.ask('continue', stop);
    expect((await client.event('exited')).body.exitCode).toBe(2);
    await client.event('terminated');
    // Log points are told among what is printed.
    const printed = client.output('stdout').split(/^> \[Go \d+\]: /m);
    expect(printed.join('')).toMatch(/^back with 1\nsum 1\nback with 2\nsum 2\n/);
    expect(client.output('stdout')).toMatch(/sum 44\nsum 45\nlate\n$/);
    expect(client.output('stderr')).toMatch(/^said again\npanic: nobody catches it\n/);
    await client.ask('disconnect');
    expect(await client.ended()).toEqual({ code: 1000, reason: '' });
    expect(faults(client.messages)).toEqual([]);
  });

  test('tells goroutines apart, and of a program’s end whatever it has left', async () => {
    await using session = await open();
    using client = await start(session);
    await client.launch({ program: 'crowd' }, async () => {
      await breakAt(client, 'crowd/main.go', { line: 13 }, { line: 24 });
    });
    const names: string[] = [];
    const seen = new Set<number>();
    let { threadId } = (await client.event('stopped')).body;
    for (let i = 0; i < 2; i++) {
      seen.add(threadId);
      const { threads } = await client.ask('threads');
      expect(threads.map(({ id }: { id: number }) => id)).toEqual(expect.arrayContaining([1, threadId]));
      const [frame] = (await client.ask('stackTrace', { threadId })).stackFrames;
      names.push((await client.ask('evaluate', { expression: 'name', frameId: frame.id })).result);
      const stopped = client.next('stopped');
      await client.ask('continue', { threadId });
      ({ threadId } = (await stopped).body);
    }
    expect(seen.size).toBe(2);
    expect(names.sort()).toEqual(['"one "', '"two "']);
    const into = client.next('stopped');
    await client.ask('stepIn', { threadId });
    const { threadId: within } = (await into).body;
    const [{ name }] = (await client.ask('stackTrace', { threadId: within })).stackFrames;
    expect(name).toBe('exec.Command');
    await client.ask('continue', { threadId: within });
    expect((await client.event('exited')).body.exitCode).toBe(1);
    await client.event('terminated');
    expect(client.output('stdout')).toMatch(CROWD);
    expect(faults(client.messages)).toEqual([]);
  });

  test('pauses what never stops, and goes with its program when its client vanishes', async () => {
    await using session = await open();
    const client = await start(session);
    await client.launch({ program: '/workspace/stuck' });
    await expect.poll(() => client.output('stderr')).toBe('begun\n');
    const stopped = client.next('stopped');
    await client.ask('pause', { threadId: 1 });
    expect((await stopped).body.reason).toBe('pause');
    client.socket.terminate();
    const left = async () => {
      const { stdout } = await session.shell('sh', ['-c', 'cat /proc/[0-9]*/cmdline | tr "\\0" " "']);
      return /delve|debugged|sleep 1000/.test(stdout);
    };
    await expect.poll(left).toBe(false);
  });

  test('says why a program can’t be compiled, and which limit ended one', async () => {
    await using session = await open({ memoryLimitMB: 512 });
    using bad = await start(session);
    await expect(bad.launch({ program: 'bad/main.go' })).rejects.toThrow('could not be compiled');
    const words = bad.output('stderr');
    expect(words).toMatch(/main\.go:3:8: .*nowhere/);
    expect(words).toContain('asked for in `packages`');
    // As soon as it is mended, by the same debugger; and without one all is told as well.
    await session.done('write_file', { path: 'bad/main.go', content: FILES['crowd/main.go'] });
    const wrong = bad.launched({ program: 'bad/main.go', args: 'x', noDebug: true });
    await expect(wrong).rejects.toThrow(/^args: /);
    await bad.launched({ program: 'bad/main.go', args: ['x'], noDebug: true }, async () => {
      const [set] = (await breakAt(bad, 'bad/main.go', { line: 13 })).breakpoints;
      expect(set).toMatchObject({ verified: false, message: 'The program runs without its debugger' });
    });
    expect((await bad.event('exited')).body.exitCode).toBe(2);
    await bad.event('terminated');
    expect(bad.output('stdout')).toMatch(CROWD);
    await expect(bad.ask('pause', { threadId: 1 })).rejects.toThrow('runs without its debugger');
    await bad.ask('disconnect');
    expect(await bad.ended()).toEqual({ code: 1000, reason: '' });
    using greedy = await start(session);
    await greedy.launch({ program: 'greedy/main.go' });
    await greedy.event('terminated');
    expect(greedy.output('important')).toContain('Memory limit exceeded (memory_limit)');
    expect(greedy.ends).toEqual(['exited', 'terminated']);
    expect(faults([...bad.messages, ...greedy.messages])).toEqual([]);
  });
});
