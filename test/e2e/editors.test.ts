import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { DebugClient } from '@vscode/debugadapter-testsupport';
import { expect, inject, onTestFinished, test } from 'vitest';
import { CLI, CLI_ENV } from '../support/cli.ts';
import { dapSchema } from '../support/dap-schema.ts';
import { available } from '../support/matrix.ts';
import { TestSession } from '../support/session.ts';

/** What VS Code's own tests of debuggers make of ours, over `codebeaker dap`, as an editor with `debugServer` does. */
/** Go compiles first. */
const PATIENCE_MS = 60_000;
const { url, wsUrl } = inject('server');
const here = await available();

const MAIN = '/workspace/main.py';
const CODE = `def add(one, two):
    total = one + two
    return total
print('sum', add(1, 2))
print('sum', add(3, 4))
`;
const SCRIPT = `function add(one, two) {
  const total = one + two;
  return total;
}
console.log('sum', add(1, 2));
`;
const GO = `package main
func add(one, two int) int {
	total := one + two
	return total
}
func main() { println("sum", add(1, 2)) }
`;

const CSHARP = `int Add(int one, int two) {
    var total = one + two;
    return total;
}
Console.WriteLine("sum " + Add(1, 2));
`;
const containers = here.some(each => each.language === 'csharp' && each.runtimeType === 'Docker');

interface Editor {
  readonly session: TestSession;
  readonly client: DebugClient;
  /** All that was told, in order. */
  readonly told: object[];
}

/** An editor that has a session's program in the relay, until the test has ended in whatever way: one that is late never leaves its scope. */
async function openEditor(
  language: string,
  runtimeType: string,
  program: { readonly path: string; readonly content: string },
): Promise<Editor> {
  expect(here.some(each => each.language === language && each.runtimeType === runtimeType)).toBe(true);
  const session = await TestSession.open(wsUrl, { language, runtimeType });
  onTestFinished(() => session[Symbol.asyncDispose]());
  await session.done('write_file', program);
  const relay = spawn(process.execPath, [CLI, 'dap', '--session', session.id, '--port', '0'], {
    env: { ...CLI_ENV, CODEBEAKER_URL: url },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  onTestFinished(() => void relay.kill('SIGINT'));
  const [line] = await once(relay.stderr!, 'data');
  const client = new DebugClient('', '', language);
  const told: object[] = [];
  const { dispatch } = client as unknown as { dispatch(body: string): void };
  const record = (body: string) => {
    told.push(JSON.parse(body));
    dispatch.call(client, body);
  };
  Object.assign(client, { dispatch: record });
  await client.start(Number(/port (\d+) of 127/.exec(String(line))?.[1]));
  return { session, client, told };
}

test.each([
  ['javascript', 'NodeJs', 'main.js', SCRIPT, 2],
  ['javascript', 'Bun', 'main.js', SCRIPT, 2],
  ['typescript', 'Deno', 'main.ts', SCRIPT.replace('one, two)', 'one: number, two: number)'), 2],
  ['go', 'Go', 'main.go', GO, 3],
  ...(containers ? ([['csharp', 'Docker', 'main.cs', CSHARP, 2]] as const) : []),
] as const)('a program of %s on %s is stopped, stepped through and ended', async (...row) => {
  const [language, runtimeType, name, content, line] = row;
  const editor = await openEditor(language, runtimeType, { path: name, content });
  const { client } = editor;
  const path = `/workspace/${name}`;
  const ended = client.waitForEvent('terminated', PATIENCE_MS);
  client.defaultTimeout = PATIENCE_MS;
  await client.hitBreakpoint({ program: path }, { path, line });
  const threadId = (await client.threadsRequest()).body.threads[0]!.id;
  const stepped = client.assertStoppedLocation('step', { path, line: line + 1 });
  await client.nextRequest({ threadId });
  await stepped;
  await client.continueRequest({ threadId });
  await ended;
  await client.disconnectRequest();
});

test('a breakpoint is hit, looked into and left, and every message is one of the protocol', async () => {
  const editor = await openEditor('python', 'Python', { path: 'main.py', content: CODE });
  const { client, session, told } = editor;
  const printed = client.assertOutput('stdout', 'sum 3\nsum 70\n');
  const ended = client.waitForEvent('terminated');
  await client.hitBreakpoint({ program: MAIN }, { path: MAIN, line: 2 });
  const [thread] = (await client.threadsRequest()).body.threads;
  const threadId = thread!.id;
  const goOn = (how: 'next' | 'continue', reason: string, line: number) => {
    const there = client.assertStoppedLocation(reason, { path: MAIN, line });
    return Promise.all([how === 'next' ? client.nextRequest({ threadId }) : go(), there]);
  };
  const go = () => client.continueRequest({ threadId });
  await goOn('next', 'step', 3);
  await goOn('continue', 'breakpoint', 2);
  const { stackFrames } = (await client.stackTraceRequest({ threadId })).body;
  expect(stackFrames.map(({ name, line }) => [name, line])).toEqual([
    ['add', 2],
    ['<module>', 5],
  ]);
  const frameId = stackFrames[0]!.id;
  const { scopes } = (await client.scopesRequest({ frameId })).body;
  const { variablesReference } = scopes[0]!;
  const { variables } = (await client.variablesRequest({ variablesReference })).body;
  expect(variables.map(({ name, value }) => `${name}=${value}`)).toEqual(['one=3', 'two=4']);
  await client.setVariableRequest({ variablesReference, name: 'two', value: '67' });
  const answer = await client.evaluateRequest({ expression: 'one + two', frameId, context: 'hover' });
  expect(answer.body.result).toBe('70');
  await expect(client.attachRequest({} as never)).rejects.toThrow('nothing to attach to');
  const faults = await dapSchema(session);
  await go();
  await printed;
  await ended;
  await client.disconnectRequest();
  expect(faults(told)).toEqual([]);
  expect(told.length).toBeGreaterThan(20);
});
