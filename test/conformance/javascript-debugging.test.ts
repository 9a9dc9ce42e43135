import { beforeAll, describe, expect, inject, test } from 'vitest';
import { DapClient } from '../support/dap-client.ts';
import { dapSchema } from '../support/dap-schema.ts';
import { lentSession } from '../support/lent-session.ts';
import { matrix } from '../support/matrix.ts';
import { TestSession } from '../support/session.ts';

/** The debugger of JavaScript and TypeScript through the door, as an editor speaks to it. */
const { url: base, wsUrl } = inject('server');
/** In containers there is the same Node.js as locally, whose sources are traced back to TypeScript there: once here, at the end. */
const rows = (await matrix()).filter(
  ({ dialect, language, runtimeType }) =>
    dialect === 'javascript' && !(language === 'typescript' && runtimeType === 'Docker'),
);

/** The same in both languages, but for what is read of it: lines move in TypeScript. */
const files = (typed: boolean): Record<string, string> => {
  const type = (text: string) => (typed ? text : '');
  const ending = typed ? 'ts' : 'mjs';
  return {
    [`main.${ending}`]: `import { late } from './other.${ending}';
${typed ? 'enum Unit {\n  One = 1,\n}' : 'const Unit = {\n  One: 1,\n};'}
function add(one${type(': number')}, two${type(': number')}) {
  const total = one + two;
  return total;
}
for (let i = 0; i < 5; i++) console.log('sum', add(i, Unit.One));
console.log(late());
const later = await import('./later.${ending}');
console.log(later.last());
console.error('said');
throw new TypeError('nobody catches it');
`,
    [`other.${ending}`]: `${type('interface Word {\n  text: string;\n}\n')}export function late() {
  const word${type(': Word')} = { text: 'late' };
  return word.text;
}
`,
    [`later.${ending}`]: `${type('type Numbers = number[];\n')}export function last() {
  const all${type(': Numbers')} = Array.from({ length: 500 }, (_, i) => i);
  return all.length;
}
`,
  };
};

let faults: Awaited<ReturnType<typeof dapSchema>>;
beforeAll(async () => {
  await using session = await TestSession.open(wsUrl, { language: 'python', runtimeType: 'Python' });
  await session.client.call('debug.start', { sessionId: session.id });
  faults = await dapSchema(session);
});

async function open(config: { language: string; runtimeType: string }, contents: Record<string, string>) {
  const session = await lentSession(wsUrl, config);
  for (const [path, content] of Object.entries(contents)) await session.done('write_file', { path, content });
  return session;
}

async function start(session: TestSession): Promise<DapClient> {
  const { url } = await session.client.call('debug.start', { sessionId: session.id });
  return DapClient.connect(base.replace('http', 'ws') + url);
}

const breakAt = (client: DapClient, path: string, ...breakpoints: object[]) =>
  client.ask('setBreakpoints', { source: { path: `/workspace/${path}` }, breakpoints });

const threadId = 1;
const top = async (client: DapClient) => (await client.ask('stackTrace', { threadId })).stackFrames[0];
/** Goes on as told, to where it stops next. */
async function goOn(client: DapClient, how = 'continue') {
  const stopped = client.next('stopped');
  await client.ask(how, { threadId });
  const { body } = await stopped;
  const { name, line, source } = await top(client);
  return { reason: body.reason, at: `${name} ${source.path}:${line}` };
}

describe.each(rows)('a debugger of $name', ({ language, runtimeType }) => {
  const typed = language === 'typescript';
  const ending = typed ? 'ts' : 'mjs';
  const lines = typed ? { other: 5, later: 4 } : { other: 2, later: 3 };

  test('stops, looks, steps, changes and ends', async () => {
    await using session = await open({ language, runtimeType }, files(typed));
    using client = await start(session);
    await client.launch({ program: `main.${ending}`, args: ['x'] }, async () => {
      const set = await breakAt(
        client,
        `main.${ending}`,
        { line: 6, condition: 'one > 0', hitCondition: '2' },
        { line: 7, logMessage: 'back with {total}, {nobody}' },
      );
      expect(set.breakpoints).toMatchObject([
        { verified: true, line: 6 },
        { verified: true, line: 7 },
      ]);
      await breakAt(client, `other.${ending}`, { line: lines.other });
      const later = await breakAt(client, `later.${ending}`, { line: lines.later });
      expect(later.breakpoints).toMatchObject([{ verified: false, message: 'Not loaded yet' }]);
    });
    const { body } = await client.event('stopped');
    expect(body).toMatchObject({ reason: 'breakpoint', threadId, allThreadsStopped: true });
    const frame = await top(client);
    expect(frame).toMatchObject({ name: 'add', line: 6, source: { path: `/workspace/main.${ending}` } });
    const { scopes } = await client.ask('scopes', { frameId: frame.id });
    const { variablesReference } = scopes[0];
    const { variables } = await client.ask('variables', { variablesReference });
    const shown = variables.map(({ name, value }: { name: string; value: string }) => `${name}=${value}`);
    expect(shown).toEqual(expect.arrayContaining(['one=2', 'two=1']));
    await client.ask('setVariable', { variablesReference, name: 'two', value: '20 * 2' });
    const evaluate = (expression: string, context = 'watch') =>
      client.ask('evaluate', { expression, frameId: frame.id, context });
    expect((await evaluate('one * two')).result).toBe('80');
    await expect(evaluate('nobody')).rejects.toThrow('ReferenceError: nobody is not defined');
    await expect(evaluate('one++', 'hover')).rejects.toThrow('EvalError');
    expect(await goOn(client, 'next')).toEqual({ reason: 'step', at: `add /workspace/main.${ending}:7` });
    expect((await goOn(client, 'stepOut')).reason).toBe('step');
    // The loop comes there twice more.
    for (let i = 0; i < 2; i++)
      expect(await goOn(client)).toEqual({ reason: 'breakpoint', at: `add /workspace/main.${ending}:6` });
    expect(await goOn(client)).toEqual({
      reason: 'breakpoint',
      at: `late /workspace/other.${ending}:${lines.other}`,
    });
    expect(await goOn(client)).toEqual({
      reason: 'breakpoint',
      at: `last /workspace/later.${ending}:${lines.later}`,
    });
    const changed = client.messages.filter(({ event }) => event === 'breakpoint').at(-1);
    expect(changed.body.breakpoint).toMatchObject({ verified: true, line: lines.later });
    await client.ask('setExceptionBreakpoints', { filters: ['all'] });
    const thrown = await goOn(client);
    expect(thrown).toMatchObject({ reason: 'exception', at: expect.stringContaining(`main.${ending}:14`) });
    const { exceptionId, description } = await client.ask('exceptionInfo', { threadId });
    expect([exceptionId, description]).toEqual(['TypeError', 'TypeError: nobody catches it']);
    await client.ask('continue', { threadId });
    expect((await client.event('exited')).body.exitCode).toBe(1);
    await client.event('terminated');
    expect(client.output('stdout')).toBe('sum 1\nsum 2\nsum 42\nsum 4\nsum 5\nlate\n500\n');
    expect(client.output('console')).toMatch(
      /^back with 1, ReferenceError: nobody is not defined\nback with 2, /,
    );
    expect(client.output('stderr')).toMatch(/^said\n/);
    expect(client.output('stderr')).not.toMatch(/[Dd]ebugger/);
    await client.ask('disconnect');
    expect(await client.ended()).toEqual({ code: 1000, reason: '' });
    expect(faults(client.messages)).toEqual([]);
  });

  // Whatever the session's language is, it is the same program.
  if (typed) return;
  test('steps through what waits, leaves children alone, and tells the limit that ended a program', async () => {
    const content = `import { spawn } from 'node:child_process';
async function later(number) {
  const more = number + 1;
  await new Promise(go => setTimeout(go, 1));
  return more;
}
async function main() {
  const got = await later(1);
  console.log('got', got);
}
await main();
const said = spawn('sh', ['-c', 'echo child; exit 7'], { stdio: 'inherit' });
console.log(await new Promise(go => said.on('exit', go)));
spawn('sleep', ['1000'], { stdio: 'inherit', detached: true }).unref();
`;
    const greedy = 'const held = [];\nfor (;;) held.push(Buffer.alloc(8 << 20, 1));\n';
    const limited = { language, runtimeType, memoryLimitMB: 256 };
    await using session = await open(limited, { 'wait.mjs': content, 'greedy.mjs': greedy });
    using client = await start(session);
    await client.launch(
      { program: 'wait.mjs' },
      async () => void (await breakAt(client, 'wait.mjs', { line: 8 })),
    );
    await client.event('stopped');
    expect(await goOn(client, 'stepIn')).toEqual({ reason: 'step', at: 'later /workspace/wait.mjs:3' });
    const frameId = (await top(client)).id;
    for (const context of ['watch', 'repl', 'clipboard'])
      expect((await client.ask('evaluate', { expression: 'number', frameId, context })).result).toBe('1');
    expect((await goOn(client, 'next')).at).toBe('later /workspace/wait.mjs:4');
    // Over what waits.
    expect((await goOn(client, 'next')).at).toBe('later /workspace/wait.mjs:5');
    await client.ask('continue', { threadId });
    await client.event('terminated');
    expect(client.output('stdout')).toBe('got 2\nchild\n7\n');
    using ended = await start(session);
    await ended.launch({ program: 'greedy.mjs' });
    await ended.event('terminated');
    expect(ended.output('important')).toContain('Memory limit exceeded (memory_limit)');
    expect(ended.ends).toEqual(['exited', 'terminated']);
    expect(faults([...client.messages, ...ended.messages])).toEqual([]);
  });

  test('pauses what never stops, and goes with its program when its client vanishes', async () => {
    // Bun hears its debugger only while it waits for something.
    const work = 'held.list[0] += 1;';
    const deaf = "{ console.log('deaf'); for (;;) held.list[1] += 1; }";
    const body =
      runtimeType === 'Bun'
        ? `{ ${work} if (globalThis.deaf) ${deaf} await new Promise(go => setTimeout(go)); }`
        : work;
    const content = `const held = { list: Array.from({ length: 5000 }, (_, i) => i), text: 'x'.repeat(1e6) };
console.log('begun');
for (;;) ${body}
`;
    await using session = await open({ language, runtimeType }, { 'stuck.mjs': content });
    const client = await start(session);
    await client.launch({ program: '/workspace/stuck.mjs', stopOnEntry: true });
    expect((await client.event('stopped')).body.reason).toBe('entry');
    const running = client.next('stopped');
    await client.ask('continue', { threadId });
    await expect.poll(() => client.output('stdout')).toBe('begun\n');
    await client.ask('pause', { threadId });
    expect((await running).body.reason).toBe('pause');
    const frameId = (await top(client)).id;
    const { variablesReference } = await client.ask('evaluate', { expression: 'held', frameId });
    const read = async (reference: number, wish = {}) => {
      const answer = await client.ask('variables', { variablesReference: reference, ...wish });
      return answer.variables;
    };
    const [list, text] = await read(variablesReference);
    expect(list).toMatchObject({ name: 'list', indexedVariables: 5000 });
    expect(text.value.length).toBeLessThan(5000);
    const page = await read(list.variablesReference, { filter: 'indexed', start: 4000, count: 2 });
    expect(page.map(({ name, value }: { name: string; value: string }) => [name, value])).toEqual([
      ['4000', '4000'],
      ['4001', '4001'],
    ]);
    if (runtimeType === 'Bun') {
      await client.ask('evaluate', { expression: 'globalThis.deaf = true', frameId });
      await client.ask('continue', { threadId });
      await expect.poll(() => client.output('stdout')).toBe('begun\ndeaf\n');
      await expect(client.ask('pause', { threadId })).rejects.toThrow('breakpoints that are set before it');
    }
    client.socket.terminate();
    const left = async () => {
      const { stdout } = await session.shell('sh', ['-c', 'cat /proc/[0-9]*/cmdline | tr "\\0" " "']);
      return /debugging.adapter|stuck/.test(stdout);
    };
    await expect.poll(left).toBe(false);
  });
});

const traced = (await matrix()).filter(
  ({ language, runtimeType }) => language === 'typescript' && runtimeType === 'Docker',
);
test.each(traced)('a debugger of $name stops where TypeScript says', async ({ language, runtimeType }) => {
  await using session = await open({ language, runtimeType }, files(true));
  using client = await start(session);
  await client.launch({ program: 'main.ts' }, async () => {
    expect((await breakAt(client, 'main.ts', { line: 6 })).breakpoints).toMatchObject([{ verified: true }]);
  });
  expect((await client.event('stopped')).body.reason).toBe('breakpoint');
  const stands = { name: 'add', line: 6, source: { path: '/workspace/main.ts' } };
  expect(await top(client)).toMatchObject(stands);
});
