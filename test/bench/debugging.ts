import { setTimeout as sleep } from 'node:timers/promises';
import { DapClient } from '../support/dap-client.ts';
import { against, type Figure, figure, interleaved, timed } from './measure.ts';
import { privateMegabytes } from './memory.ts';
import { openSession, type Setting, type Subject, subjects } from './setting.ts';

/** Without a breakpoint a program of this many rounds takes a good part of a second. */
const ROUNDS = 5_000_000;

interface Programs {
  readonly file: string;
  /** A loop to step through, and the line that it is stopped at first. */
  readonly steps: string;
  readonly line: number;
  /** A loop that says itself how many milliseconds it took. */
  readonly counts: string;
  /** It is compiled before it can be told what it is to stop at. */
  readonly compiled?: boolean;
}

const PROGRAMS: Readonly<Record<string, Programs>> = {
  python: {
    file: 'main.py',
    line: 3,
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
    line: 3,
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
  go: {
    file: 'main.go',
    line: 6,
    compiled: true,
    steps: `package main

func main() {
	total := 0
	for i := 0; i < 100000; i++ {
		total += i
		total -= 1
	}
	println(total)
}
`,
    counts: `package main

import (
	"fmt"
	"time"
)

func work() int {
	total := 0
	for i := 0; i < ${ROUNDS * 20}; i++ {
		total = (total + i*3) % 1000003
	}
	return total
}

func main() {
	begun := time.Now()
	work()
	fmt.Println(float64(time.Since(begun).Microseconds()) / 1000)
}
`,
  },
  csharp: {
    file: 'main.cs',
    line: 3,
    compiled: true,
    steps: `var total = 0;
for (var i = 0; i < 100000; i++) {
    total += i;
    total -= 1;
}
Console.WriteLine(total);
`,
    counts: `int Work() {
    var total = 0;
    for (var i = 0; i < ${ROUNDS * 20}; i++) total = (total + i * 3) % 1000003;
    return total;
}
var watch = System.Diagnostics.Stopwatch.StartNew();
Work();
Console.WriteLine(watch.Elapsed.TotalMilliseconds.ToString(System.Globalization.CultureInfo.InvariantCulture));
`,
  },
};

/** How often it is looked whether it is, and how long in between, milliseconds. */
const MOST_COMPILING = 60;
const COMPILING_MS = 1000;
const COMPILED_YET = `ls -d "$(cat /proc/[0-9]*/cmdline | tr '\\0' '\\n' | grep -m 1 '^/packages/.*/debugpy/adapter$')/__pycache__"`;
/** In MB. */
const SUM_OF_PRIVATE = `awk '/^Private_/ { kilobytes += $2 } END { print kilobytes / 1024 }'`;
const INTERPRETERS: Readonly<Record<string, readonly string[]>> = {
  Bun: ['bun'],
  Deno: ['deno', 'run'],
  NodeJs: ['node'],
  Python: ['python3'],
};

/** In containers, as the server that is measured has no Go of its own. */
const COMPILED: readonly Subject[] = ['go', 'csharp'].map(language => ({
  runtimeType: 'Docker',
  language,
  print: '',
  nothing: '',
}));

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

/** The same of languages whose programs are compiled first. */
export async function debuggingCompiled(setting: Setting): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const subject of setting.available.has('Docker') ? COMPILED : []) {
    setting.say(`debugging on ${nameOf(subject)}`);
    figures.push(...(await ofSubject(setting, subject)));
  }
  return figures;
}

function nameOf({ runtimeType, language }: Subject): string {
  return PROGRAMS[language]!.compiled ? `${language} on ${runtimeType}` : runtimeType;
}

async function ofSubject({ server, quick }: Setting, subject: Subject): Promise<Figure[]> {
  const { runtimeType, language } = subject;
  const programs = PROGRAMS[language]!;
  const { file, steps, line, counts, compiled } = programs;
  const name = nameOf(subject);
  await using session = await openSession(server.url, subject);
  const { sessionId, client: rpc } = session;
  const write = (content: string) => session.run({ type: 'write_file', path: file, content });
  const start = async () => {
    const { url } = await rpc.call('debug.start', { sessionId });
    return DapClient.connect(server.url.replace('http', 'ws') + url);
  };
  await write(steps);
  // Python's is installed by the first, and compiled while that is used, for those to come.
  for (let i = 0; i < MOST_COMPILING; i++) {
    const client = await begin(await start(), programs);
    const looks = { type: 'execute_shell', commandName: 'sh', args: ['-c', COMPILED_YET] };
    const isCompiled = language !== 'python' || (await session.run(looks)).stdout !== '';
    client.socket.terminate();
    if (isCompiled) break;
    await sleep(COMPILING_MS);
  }
  const starts: number[] = [];
  for (let i = 0; i < (quick || compiled ? 5 : 10); i++)
    starts.push(await timed(async () => void (await begin(await start(), programs)).socket.terminate()));

  // A container's processes look at each other.
  const summed = ['-c', `cat /proc/[0-9]*/smaps_rollup 2>/dev/null | ${SUM_OF_PRIVATE}`];
  const memory = async () =>
    compiled
      ? Number((await session.run({ type: 'execute_shell', commandName: 'sh', args: summed })).stdout)
      : privateMegabytes(session.environmentId);
  const before = await memory();
  const client = await begin(await start(), programs);
  const source = { path: `/workspace/${file}` };
  await client.ask('setBreakpoints', { source, breakpoints: [{ line }] });
  client.say('configurationDone');
  const { threadId } = (await client.event('stopped')).body;
  const added = (await memory()) - before;
  // A place that is stepped to and stopped at is told twice by some.
  if (compiled) await client.ask('setBreakpoints', { source, breakpoints: [] });
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
    const run = await begin(await start(), programs);
    run.say('configurationDone');
    await run.event('terminated');
    run.socket.terminate();
    return Number(run.output('stdout'));
  };
  const [commandName = '', ...args] = [...(INTERPRETERS[runtimeType] ?? []), file];
  // What is compiled runs as a cell: the same program is compiled once.
  const command = compiled
    ? { type: 'execute_code', code: counts }
    : { type: 'execute_shell', commandName, args };
  const alone = async () => Number((await session.run(command)).stdout);
  const [slow, fast] = await interleaved(quick ? 3 : 5, [debugged, alone]);
  const bare = figure('debugging', `${name}: a loop without a debugger`, 'ms', fast!);
  return [
    figure('debugging', `${name}: debug.start to ${compiled ? 'compiled' : 'initialized'}`, 'ms', starts),
    figure('debugging', `${name}: a step, its stack, scopes and variables`, 'ms', stepped!),
    figure('debugging', `${name}: memory added, private`, 'MB', [added]),
    bare,
    against(figure('debugging', `${name}: the loop, debugged without breakpoints`, 'ms', slow!), bare),
  ];
}

/** Up to where breakpoints may be set. */
async function begin(client: DapClient, { file: program, compiled }: Programs): Promise<DapClient> {
  await client.ask('initialize', { adapterID: 'bench', linesStartAt1: true, columnsStartAt1: true });
  client.say('launch', { program });
  await client.event('initialized');
  if (compiled) await client.ask('setExceptionBreakpoints', { filters: [] });
  return client;
}
