import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { DebugClient } from '@vscode/debugadapter-testsupport';
import { beforeAll, expect, inject, test } from 'vitest';
import { dapSchema } from '../support/dap-schema.ts';
import { TestSession } from '../support/session.ts';

/** What VS Code's own tests of debuggers make of ours, over `codebeaker dap`, as an editor with `debugServer` does. */
const PROGRAM = join(import.meta.dirname, '../../src/cli/codebeaker.ts');
const { url, wsUrl } = inject('server');

/** The same program in each language; `adds` is the line that adds up, `last` the call that is looked into. */
const ROWS = [
  {
    language: 'python',
    runtimeType: 'Python',
    file: 'main.py',
    code: `def add(one, two):
    total = one + two
    return total
print('sum', add(1, 2))
print('sum', add(3, 4))
`,
    adds: 2,
    last: 5,
  },
  {
    language: 'javascript',
    runtimeType: 'NodeJs',
    file: 'main.mjs',
    code: `function add(one, two) {
  let total = one + two;
  return total;
}
console.log('sum', add(1, 2));
console.log('sum', add(3, 4));
`,
    adds: 2,
    last: 6,
  },
  {
    language: 'go',
    runtimeType: 'Go',
    file: 'main.go',
    code: `package main

import "fmt"

func add(one, two int) int {
	total := one + two
	return total
}

func main() {
	fmt.Println("sum", add(1, 2))
	fmt.Println("sum", add(3, 4))
}
`,
    adds: 6,
    last: 12,
  },
];

let faults: Awaited<ReturnType<typeof dapSchema>>;
beforeAll(async () => {
  await using session = await TestSession.open(wsUrl, { language: 'python', runtimeType: 'Python' });
  await session.client.call('debug.start', { sessionId: session.id });
  faults = await dapSchema(session);
});

/** Connected to what relays for it, which is ended with the block; `told` is all that it hears, in order. */
async function connect(session: TestSession, language: string) {
  const relay: ChildProcess = spawn(
    process.execPath,
    [PROGRAM, 'dap', '--session', session.id, '--port', '0'],
    { env: { CODEBEAKER_URL: url }, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const [line] = await once(relay.stderr!, 'data');
  const client = new DebugClient('', '', language);
  const { dispatch } = client as unknown as { dispatch(body: string): void };
  const told: object[] = [];
  const record = (body: string) => {
    told.push(JSON.parse(body));
    dispatch.call(client, body);
  };
  Object.assign(client, { dispatch: record });
  await client.start(Number(/port (\d+) of 127/.exec(String(line))?.[1]));
  return { client, told, [Symbol.dispose]: () => void relay.kill('SIGINT') };
}

test.each(ROWS)(
  'a breakpoint in $language is hit, looked into and left, and every message is one of the protocol',
  {
    timeout: 300_000,
  },
  async ({ language, runtimeType, file, code, adds, last }) => {
    await using session = await TestSession.open(wsUrl, { language, runtimeType });
    await session.done('write_file', { path: file, content: code });
    using connected = await connect(session, language);
    const { client, told } = connected;
    const path = `/workspace/${file}`;
    const printed = client.assertOutput('stdout', 'sum 3\nsum 70\n');
    const ended = client.waitForEvent('terminated');
    const first = client.waitForEvent('stopped');
    await client.hitBreakpoint({ program: path }, { path, line: adds });
    const { threadId } = (await first).body;
    expect((await client.threadsRequest()).body.threads.map(({ id }) => id)).toContain(threadId);
    const go = () => client.continueRequest({ threadId });
    const goOn = (how: 'next' | 'continue', reason: string, line: number) => {
      const there = client.assertStoppedLocation(reason, { path, line });
      return Promise.all([how === 'next' ? client.nextRequest({ threadId }) : go(), there]);
    };
    await goOn('next', 'step', adds + 1);
    await goOn('continue', 'breakpoint', adds);
    await goOn('next', 'step', adds + 1);
    const { stackFrames } = (await client.stackTraceRequest({ threadId })).body;
    expect(stackFrames[0]).toMatchObject({ name: expect.stringMatching(/\badd$/), line: adds + 1 });
    expect(stackFrames[1]).toMatchObject({ line: last, source: { path } });
    const frameId = stackFrames[0]!.id;
    const { scopes } = (await client.scopesRequest({ frameId })).body;
    const { variablesReference } = scopes[0]!;
    const { variables } = (await client.variablesRequest({ variablesReference })).body;
    const shown = variables.map(({ name, value }) => `${name}=${value}`);
    expect(shown).toEqual(expect.arrayContaining(['one=3', 'two=4', 'total=7']));
    await client.setVariableRequest({ variablesReference, name: 'total', value: '70' });
    const answer = await client.evaluateRequest({ expression: 'one + total', frameId, context: 'hover' });
    expect(answer.body.result).toBe('73');
    await expect(client.attachRequest({} as never)).rejects.toThrow('nothing to attach to');
    await go();
    await printed;
    await ended;
    await client.disconnectRequest();
    expect(faults(told)).toEqual([]);
    expect(told.length).toBeGreaterThan(20);
  },
);
