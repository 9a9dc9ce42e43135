import { DapClient } from '../support/dap-client.ts';
import { against, type Figure, figure, interleaved, timed } from './measure.ts';
import { privateMegabytes } from './memory.ts';
import { openSession, type Setting, type Subject, subjects } from './setting.ts';

/** Without a breakpoint a program of this many rounds takes a good part of a second. */
const ROUNDS = 5_000_000;

/** A loop to step through, and one that says itself how many milliseconds it took. */
const PROGRAMS: Readonly<Record<string, Readonly<Record<'file' | 'steps' | 'counts', string>>>> = {
  python: {
    file: 'main.py',
    steps: 'total = 0\nfor i in range(100000):\n    total += i\n    total -= 1\n',
    counts: `import time
def work():
    total = 0
    for i in range(${ROUNDS}): total += i
    return total
begun = time.perf_counter()
work()
print((time.perf_counter() - begun) * 1000)
`,
  },
  javascript: {
    file: 'main.mjs',
    steps: 'let total = 0;\nfor (let i = 0; i < 100000; i++) {\n  total += i;\n  total -= 1;\n}\n',
    counts: `function work() {
  let total = 0;
  for (let i = 0; i < ${ROUNDS} * 20; i++) total = (total + i * 3) % 1000003;
  return total;
}
const begun = performance.now();
work();
console.log(performance.now() - begun);
`,
  },
};

/**
 * A debugger from `debug.start` to where breakpoints may be set; a step with what an editor asks after it; what it adds to the memory of
 * a session; and how fast a program without breakpoints is beside the same without a debugger.
 */
export async function debugging(setting: Setting): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const subject of subjects(setting, 'Bun', 'Deno', 'NodeJs', 'Python')) {
    setting.say(`debugging on ${subject.runtimeType}`);
    figures.push(...(await ofSubject(setting, subject)));
  }
  return figures;
}

async function ofSubject({ server, quick }: Setting, subject: Subject): Promise<Figure[]> {
  const { runtimeType, language } = subject;
  const { file, steps, counts } = PROGRAMS[language]!;
  await using session = await openSession(server.url, subject);
  const { sessionId, client: rpc } = session;
  const write = (content: string) => session.run({ type: 'write_file', path: file, content });
  const start = async () => {
    const { url } = await rpc.call('debug.start', { sessionId });
    return DapClient.connect(server.url.replace('http', 'ws') + url);
  };
  await write(steps);
  // Python's is installed by the first.
  (await begin(await start(), file)).socket.terminate();
  const starts: number[] = [];
  for (let i = 0; i < (quick ? 5 : 10); i++)
    starts.push(await timed(async () => void (await begin(await start(), file)).socket.terminate()));

  const before = privateMegabytes(session.environmentId);
  const client = await begin(await start(), file);
  const breakpoints = [{ line: 3 }];
  await client.ask('setBreakpoints', { source: { path: `/workspace/${file}` }, breakpoints });
  client.say('configurationDone');
  const { threadId } = (await client.event('stopped')).body;
  const added = privateMegabytes(session.environmentId) - before;
  const step = async () => {
    const stopped = client.next('stopped');
    await client.ask('next', { threadId });
    await stopped;
    const { stackFrames } = await client.ask('stackTrace', { threadId });
    const { scopes } = await client.ask('scopes', { frameId: stackFrames[0].id });
    await client.ask('variables', { variablesReference: scopes[0].variablesReference });
  };
  const [stepped] = await interleaved(quick ? 20 : 100, [step]);
  client.socket.terminate();

  await write(counts);
  const debugged = async () => {
    const run = await begin(await start(), file);
    run.say('configurationDone');
    await run.event('terminated');
    run.socket.terminate();
    return Number(run.output('stdout'));
  };
  const interpreter = { Bun: ['bun'], Deno: ['deno', 'run'], NodeJs: ['node'], Python: ['python3'] }[
    runtimeType
  ]!;
  const [commandName = '', ...args] = [...interpreter, file];
  const alone = async () => Number((await session.run({ type: 'execute_shell', commandName, args })).stdout);
  const [slow, fast] = await interleaved(quick ? 3 : 5, [debugged, alone]);
  const bare = figure('debugging', `${runtimeType}: a loop without a debugger`, 'ms', fast!);
  return [
    figure('debugging', `${runtimeType}: debug.start to initialized`, 'ms', starts),
    figure('debugging', `${runtimeType}: a step, its stack, scopes and variables`, 'ms', stepped!),
    figure('debugging', `${runtimeType}: memory added, private`, 'MB', [added]),
    bare,
    against(figure('debugging', `${runtimeType}: the loop, debugged without breakpoints`, 'ms', slow!), bare),
  ];
}

/** Up to where breakpoints may be set. */
async function begin(client: DapClient, program: string): Promise<DapClient> {
  await client.ask('initialize', { adapterID: 'bench', linesStartAt1: true, columnsStartAt1: true });
  client.say('launch', { program });
  await client.event('initialized');
  return client;
}
