import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { findLanguage } from '../../../src/languages/index.ts';
import { limitsFor } from '../../../src/runtimes/default-limits.ts';
import { createRuntimes, type Runtimes } from '../../../src/runtimes/index.ts';
import type { Runtime, SandboxSpec } from '../../../src/runtimes/runtime.ts';
import type { ProcessExit, Sandbox, SandboxLimits } from '../../../src/sandbox.ts';

/** Real sandboxes without a server: what tests of the runtimes share. */
export const LIMITS: SandboxLimits = limitsFor({ memoryMB: 192, cpus: 1 });

/** What a sandbox of a language is made from, as a request without any option has it. */
export function specFor(
  runtime: Runtime,
  name: string,
  purpose: SandboxSpec['purpose'],
  limits: SandboxLimits = LIMITS,
): SandboxSpec {
  const { language } = findLanguage(name)!;
  const toolchain = runtime.toolchainFor(language)!;
  return { language, toolchain, purpose, limits, request: {}, egress: null, layers: [] };
}

/** Runtimes that have been tried. */
export async function startRuntimes(options: Parameters<typeof createRuntimes>[0]): Promise<Runtimes> {
  const runtimes = createRuntimes(options);
  await runtimes.started;
  return runtimes;
}

export interface Local extends AsyncDisposable {
  readonly instance: string;
  readonly runtimes: Runtimes;
  open(limits?: Partial<SandboxLimits>, purpose?: SandboxSpec['purpose']): Promise<Sandbox>;
}

/** Runtimes of an instance of their own. */
export async function openLocal(): Promise<Local> {
  const instance = `test${randomBytes(5).toString('hex')}`;
  const runtimes = await startRuntimes({ instance, runtimes: ['Python'], poolSize: 0 });
  const [python] = runtimes.all;
  if (!python?.state.available) throw new Error(`no sandbox here: ${JSON.stringify(python?.state)}`);
  return {
    instance,
    runtimes,
    open: (limits, purpose = 'program') =>
      python.create(specFor(python, 'python', purpose, { ...LIMITS, ...limits })),
    [Symbol.asyncDispose]: () => runtimes[Symbol.asyncDispose](),
  };
}

export interface Ran extends Omit<ProcessExit, 'type'> {
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end. */
export async function run(sandbox: Sandbox, ...argv: string[]): Promise<Ran> {
  const env = { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: '/home/sandbox' };
  const process = await sandbox.spawn({ argv, cwd: '/workspace', env, stdin: 'none' });
  const text = { stdout: '', stderr: '' };
  for await (const event of process.events) {
    if (event.type === 'output') text[event.stream] += Buffer.from(event.data).toString();
    if (event.type === 'exit') return { ...text, code: event.code, signal: event.signal };
  }
  throw new Error('no exit');
}

/** Starts a thread, an orphan in a session of its own and a child beside, says so and goes on. */
export const SPREADS = `
import os, subprocess, threading, time
threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0: time.sleep(60)
    os._exit(0)
os.wait()
subprocess.Popen(['sleep', '60'])
print('on', flush=True)
time.sleep(60)`;

export const python = (sandbox: Sandbox, code: string) => run(sandbox, 'python3', '-c', code);

/** Processes of this machine whose control group is of that instance, with their command lines. */
export function processesOf(instance: string): { pid: number; uid: number; command: string }[] {
  return readdirSync('/proc').flatMap(name => {
    if (!/^\d+$/.test(name) || !read(`/proc/${name}/cgroup`).includes(`codebeaker-${instance}/`)) return [];
    const uid = Number(/^Uid:\s+(\d+)/m.exec(read(`/proc/${name}/status`))?.[1]);
    return [{ pid: Number(name), uid, command: read(`/proc/${name}/cmdline`).replaceAll('\0', ' ') }];
  });
}

/** All threads in sandboxes of that instance, and of them those that are outside of its control groups by some controller. */
export function threadsOf(instance: string): { all: number; outside: string[] } {
  const spaceOf = (pid: string | number) => linked(`/proc/${pid}/ns/pid`);
  const agents = processesOf(instance).filter(({ command }) =>
    command.startsWith('/usr/local/lib/codebeaker/agent'),
  );
  const spaces = new Set(agents.map(({ pid }) => spaceOf(pid)));
  const inside = readdirSync('/proc').filter(name => /^\d+$/.test(name) && spaces.has(spaceOf(name)));
  const threads = inside.flatMap(pid =>
    subdirectories(`/proc/${pid}/task`).map(id => `/proc/${pid}/task/${id}`),
  );
  const isOutside = (thread: string) => {
    const groups = read(`${thread}/cgroup`)
      .split('\n')
      .map(line => line.split(':'));
    return ['memory', 'pids', 'cpu', 'cpuacct'].some(controller => {
      const own = groups.find(([, names = '']) => names === '' || names.split(',').includes(controller));
      return !own?.[2]?.includes(`/codebeaker-${instance}/`);
    });
  };
  return { all: threads.length, outside: threads.filter(isOutside) };
}

/** Directories of control groups of that instance that exist, but those of memory that nobody has at the moment (src/agent/groups.c). */
export function groupsOf(instance: string): string[] {
  const tops = ['/sys/fs/cgroup', ...readdirSync('/sys/fs/cgroup').map(name => `/sys/fs/cgroup/${name}`)];
  const own = tops.map(top => `${top}/codebeaker-${instance}`).filter(path => existsSync(path));
  const names = (path: string) => subdirectories(path).filter(name => !/^spare-\d+$/.test(name));
  return own.flatMap(path => names(path).map(name => `${path}/${name}`));
}

/** The process of this test's zygote, which has taken its launcher's place. */
export function zygoteOf(instance: string): number {
  let pid = processesOf(instance)[0]?.pid ?? 0;
  while (pid > 0 && !read(`/proc/${pid}/cmdline`).startsWith('/agent\0zygote'))
    pid = Number(/^PPid:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0);
  return pid;
}

export function subdirectories(path: string): string[] {
  try {
    return readdirSync(path, { withFileTypes: true }).flatMap(entry =>
      entry.isDirectory() ? [entry.name] : [],
    );
  } catch {
    return [];
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function linked(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}
