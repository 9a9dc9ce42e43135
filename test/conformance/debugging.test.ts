import { describe, expect, inject, test } from 'vitest';
import { DapClient } from '../support/dap-client.ts';
import { dapSchema } from '../support/dap-schema.ts';
import { lentSession } from '../support/lent-session.ts';
import { matrix } from '../support/matrix.ts';
import { TestSession } from '../support/session.ts';

/** Python's debugger through the door, as an editor speaks to it. */
const { url: base, wsUrl } = inject('server');
const rows = (await matrix()).filter(({ language }) => language === 'python');

const FILES = {
  'main.py': `import other
def add(one, two):
    total = one + two
    return total
for i in range(5):
    print('sum', add(i, 1))
print(other.late())
raise SystemExit(3)
`,
  'other.py': `def late():
    word = 'later'
    return word
`,
  'crowd.py': `import asyncio, os, threading
gate, held = threading.Lock(), list(range(5000))
def work(name):
    with gate:
        print(name)
threads = [threading.Thread(target=work, args=[name], name=name) for name in ('one', 'two')]
with gate:
    for each in threads: each.start()
for each in threads: each.join()
async def later(number):
    await asyncio.sleep(0)
    return number + 1
async def main():
    got = await later(1)
    print('got', got)
asyncio.run(main())
child = os.fork()
if child == 0:
    print('child', flush=True)
    os._exit(7)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
`,
  'stuck.py': 'import subprocess\nsubprocess.Popen(["sleep", "1000"])\nwhile True:\n    pass\n',
  'greedy.py': 'held = []\nwhile True:\n    held.append(bytearray(8 * 1024 * 1024))\n',
  'killer.py': `import os, signal
for pid in map(int, filter(str.isdigit, os.listdir('/proc'))):
    if pid > 2 and b'adapter' in open(f'/proc/{pid}/cmdline', 'rb').read(): os.kill(pid, signal.SIGKILL)
`,
};

describe.each(rows)('a debugger in $name', ({ language, runtimeType }) => {
  const open = async (more: object = {}) => {
    const where = { language, runtimeType };
    const asksMore = Object.keys(more).length > 0;
    const session = await (asksMore
      ? TestSession.open(wsUrl, { ...where, ...more })
      : lentSession(wsUrl, where));
    for (const [path, content] of Object.entries(FILES)) await session.done('write_file', { path, content });
    return session;
  };
  const start = async (session: TestSession, options = {}) => {
    const { url } = await session.client.call('debug.start', { sessionId: session.id });
    return DapClient.connect(base.replace('http', 'ws') + url, options);
  };
  const breakAt = (client: DapClient, path: string, ...breakpoints: object[]) =>
    client.ask('setBreakpoints', { source: { path: `/workspace/${path}` }, breakpoints });

  test('stops, looks, steps, changes and ends', async () => {
    await using session = await open();
    using client = await start(session);
    await client.launch({ program: 'main.py', args: [] }, async () => {
      await breakAt(
        client,
        'main.py',
        { line: 3, condition: 'one == 2' },
        { line: 5, logMessage: 'at the loop' },
      );
      // In a file that is loaded later.
      expect((await breakAt(client, 'other.py', { line: 3 })).breakpoints).toMatchObject([{ line: 3 }]);
      await client.ask('setExceptionBreakpoints', { filters: ['uncaught'] });
    });
    const { body } = await client.event('stopped');
    expect(body.reason).toBe('breakpoint');
    const { threadId } = body;
    const top = async () => (await client.ask('stackTrace', { threadId })).stackFrames;
    const [frame, caller] = await top();
    expect(frame).toMatchObject({ name: 'add', line: 3, source: { path: '/workspace/main.py' } });
    expect(caller).toMatchObject({ line: 6 });
    const { scopes } = await client.ask('scopes', { frameId: frame.id });
    const { variablesReference } = scopes[0];
    const locals = async () => {
      const { variables } = await client.ask('variables', { variablesReference });
      return variables.map(({ name, value }: { name: string; value: string }) => `${name}=${value}`);
    };
    expect(await locals()).toEqual(expect.arrayContaining(['one=2', 'two=1']));
    await client.ask('setVariable', { variablesReference, name: 'two', value: '40' });
    expect(
      await client.ask('evaluate', { expression: 'one * two', frameId: frame.id, context: 'watch' }),
    ).toMatchObject({
      result: '80',
    });
    const stepped = client.next('stopped');
    await client.ask('next', { threadId });
    expect((await stepped).body.reason).toBe('step');
    expect((await top())[0]).toMatchObject({ line: 4 });
    const steps = async (how: string) => {
      const stops = client.next('stopped');
      await client.ask(how, { threadId });
      await stops;
      return (await top())[0].name;
    };
    expect(await steps('stepOut')).toBe('<module>');
    // The loop leads to its next call.
    let into = await steps('stepIn');
    for (let i = 0; i < 4 && into !== 'add'; i++) into = await steps('stepIn');
    expect(into).toBe('add');
    const later = client.next('stopped');
    await client.ask('continue', { threadId });
    await later;
    expect((await top())[0]).toMatchObject({ name: 'late', source: { path: '/workspace/other.py' } });
    await expect(client.ask('restart')).rejects.toThrow('debugpy has no restart');
    // An exit with a code is told as an exception that nobody catches.
    const raised = client.next('stopped');
    await client.ask('continue', { threadId });
    expect((await raised).body).toMatchObject({ reason: 'exception', text: 'SystemExit' });
    await client.ask('continue', { threadId });
    expect((await client.event('exited')).body.exitCode).toBe(3);
    await client.event('terminated');
    // What a log point says comes another way than what is printed, and may stand in the middle of it.
    const printed = client.output('stdout').split('at the loop\n');
    expect(printed.length).toBeGreaterThan(5);
    expect(printed.join('')).toBe('sum 1\nsum 2\nsum 42\nsum 4\nsum 5\nlater\n');
    const faults = await dapSchema(session);
    await client.ask('disconnect');
    expect(await client.ended()).toEqual({ code: 1000, reason: '' });
    expect(faults(client.messages)).toEqual([]);
  });

  test('tells threads and tasks apart, and leaves children alone', async () => {
    await using session = await open();
    using client = await start(session);
    await client.launch({ program: 'crowd.py' }, async () => {
      await breakAt(client, 'crowd.py', { line: 5 }, { line: 14, hitCondition: '1' });
      await client.ask('setExceptionBreakpoints', { filters: [] });
    });
    const stop = async (from: number) => (await client.event('stopped', from)).body.threadId as number;
    const top = async (threadId: number) => (await client.ask('stackTrace', { threadId })).stackFrames[0];
    const goOn = async (threadId: number, how = 'continue') => {
      const from = client.messages.length;
      await client.ask(how, { threadId });
      const next = await stop(from);
      return { threadId: next, line: (await top(next)).line };
    };
    const first = await stop(0);
    const { threads } = await client.ask('threads');
    expect(threads.length).toBeGreaterThan(1);
    const own = threads.find(({ id }: { id: number }) => id === first).name;
    const frameId = (await top(first)).id;
    for (const context of ['watch', 'hover', 'repl', 'clipboard'])
      expect((await client.ask('evaluate', { expression: 'name', frameId, context })).result).toBe(
        `'${own}'`,
      );
    const { variablesReference } = await client.ask('evaluate', { expression: 'held', frameId });
    const { variables } = await client.ask('variables', { variablesReference });
    expect(variables.length).toBeLessThan(1000);
    const second = await goOn(first);
    expect(second).toMatchObject({ line: 5, threadId: expect.not.toBeOneOf([first]) });
    const awaits = await goOn(second.threadId);
    expect(awaits.line).toBe(14);
    const { line, threadId } = await goOn(awaits.threadId, 'next');
    expect(line).toBe(15);
    await client.ask('continue', { threadId });
    await client.event('terminated');
    expect(client.output('stdout')).toMatch(/^(one\ntwo|two\none)\ngot 2\nchild\n7\n$/);
    const faults = await dapSchema(session);
    expect(faults(client.messages)).toEqual([]);
  });

  test('pauses what never stops, and goes with its program when its client vanishes', async () => {
    await using session = await open();
    const client = await start(session, { framed: true });
    await client.launch({ program: '/workspace/stuck.py' });
    await client.event('process');
    const { threads } = await client.ask('threads');
    const stopped = client.next('stopped');
    await client.ask('pause', { threadId: threads[0].id });
    expect((await stopped).body.reason).toBe('pause');
    client.socket.terminate();
    const left = async () => {
      const { stdout } = await session.shell('sh', ['-c', 'cat /proc/[0-9]*/cmdline | tr "\\0" " "']);
      return /debugpy|stuck|sleep 1000/.test(stdout);
    };
    await expect.poll(left).toBe(false);
  });

  test('tells the limit that ended a program, and a program that kills it harms its session only', async () => {
    await using session = await open({ memoryLimitMB: 128 });
    using greedy = await start(session);
    await greedy.launch({ program: 'greedy.py' });
    await greedy.event('terminated');
    expect(greedy.output('important')).toContain(
      'Memory limit exceeded (memory_limit): the session has 128 MB',
    );
    expect(greedy.ends).toEqual(['exited', 'terminated']);
    await greedy.ask('disconnect');
    using killer = await start(session);
    await killer.launch({ program: 'killer.py' }).catch(() => {});
    expect((await killer.ended()).code).toBe(1011);
    expect(await session.prints('print("well")')).toBe('well\n');
  });
});
