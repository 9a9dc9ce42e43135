import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { agentArguments } from '../../src/agent/artifact.ts';
import { AgentClient } from '../../src/agent-client/agent-client.ts';
import type { Process, ProcessExit, SpawnSpec } from '../../src/sandbox.ts';
import { agentFile, SANITIZER_ENV } from './builds.ts';

export const ENV = { PATH: '/usr/local/bin:/usr/bin:/bin', LANG: 'C.UTF-8' };

export interface Said {
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  readonly control: Buffer;
  readonly exit: ProcessExit;
}

/**
 * A real agent as an ordinary process (or, with `namespace`, as process 1 of one), and the client that drives it. Sanitized, but for
 * tests that measure it. `uid`: its user, without a right of root's; `direct`: a path at which it may be connected to.
 */
export class AgentProcess implements AsyncDisposable {
  readonly client: AgentClient;
  readonly stream: Duplex;
  readonly root: string;
  readonly #child: ChildProcess;

  private constructor(stream: Duplex, child: ChildProcess, root: string) {
    this.stream = stream;
    this.client = new AgentClient(stream);
    this.#child = child;
    this.root = root;
  }

  static async start({
    namespace = false,
    build = 'sanitized' as 'shipped' | 'sanitized',
    uid = null as number | null,
    direct = undefined as string | undefined,
  } = {}): Promise<AgentProcess> {
    const root = mkdtempSync('/dev/shm/codebeaker-agent-');
    if (uid !== null) chownSync(root, uid, uid);
    // A network of its own, as in a sandbox: the agent looks at what passes there.
    const network = process.getuid?.() === 0 ? ['--net'] : ['--user', '--map-current-user', '--net'];
    const processes = namespace ? ['--pid', '--fork', '--kill-child', '--mount-proc'] : [];
    const agent = [agentFile(build), ...agentArguments({ direct }), '--root', root];
    const user = uid === null ? [] : ['setpriv', '--reuid', `${uid}`, '--regid', `${uid}`, '--clear-groups'];
    const command = ['unshare', ...network, ...processes, ...user, ...agent];
    const [near, far] = await socketPair();
    const child = spawn(command[0]!, command.slice(1), {
      stdio: [far, far, 'inherit'],
      env: { ...ENV, ...SANITIZER_ENV },
    });
    far.destroy();
    const started = new AgentProcess(near, child, root);
    await started.client.ready;
    return started;
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get residentBytes(): number {
    return Number(/VmRSS:\s+(\d+)/.exec(this.#proc('status'))![1]) * 1024;
  }

  get openFiles(): number {
    return readdirSync(`/proc/${this.pid}/fd`).length;
  }

  /** User and system time, hundredths of a second. */
  get cpuTicks(): number {
    const fields = this.#proc('stat').split(') ')[1]!.split(' ');
    return Number(fields[11]) + Number(fields[12]);
  }

  /** Times it has gone to sleep, which is how often it woke up. */
  get sleeps(): number {
    return Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(this.#proc('status'))![1]);
  }

  path(name = ''): string {
    return name ? `${this.root}/${name}` : this.root;
  }

  start(argv: string[], spec: Partial<SpawnSpec> = {}): Promise<Process> {
    return this.client.spawn({ argv, cwd: this.root, env: ENV, stdin: 'none', ...spec });
  }

  /** Runs a program to its end. */
  async run(argv: string[], stdin?: string | Uint8Array, spec: Partial<SpawnSpec> = {}): Promise<Said> {
    const process = await this.start(argv, { stdin: stdin === undefined ? 'none' : 'pipe', ...spec });
    if (stdin !== undefined) {
      void process.write(Buffer.from(stdin));
      process.endInput();
    }
    return collect(process);
  }

  shell(script: string, spec: Partial<SpawnSpec> = {}): Promise<Said> {
    return this.run(['sh', '-c', script], undefined, spec);
  }

  /** Resolves when the agent's process has ended. */
  async ended(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client.destroy();
    await this.ended();
    rmSync(this.root, { recursive: true, force: true });
  }

  #proc(file: string): string {
    return readFileSync(`/proc/${this.pid}/${file}`, 'utf8');
  }
}

export async function collect(process: Process): Promise<Said> {
  const said = { stdout: [] as Uint8Array[], stderr: [] as Uint8Array[], control: [] as Uint8Array[] };
  for await (const event of process.events) {
    if (event.type === 'output') said[event.stream].push(event.data);
    else if (event.type === 'control') said.control.push(event.data);
    else {
      const { stdout, stderr, control } = said;
      const all = { stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr) };
      return { ...all, control: Buffer.concat(control), exit: event };
    }
  }
  throw new Error('no exit');
}

/** Two ends of a stream between processes, as the launcher makes it: an abstract socket of a name nobody guesses. */
export async function socketPair(): Promise<[Socket, Socket]> {
  const server = createServer();
  const name = `\0codebeaker-test-${crypto.randomUUID()}`;
  await new Promise<void>(resolve => server.listen(name, resolve));
  const far = connect(name);
  const [[near]] = (await Promise.all([once(server, 'connection'), once(far, 'connect')])) as [
    [Socket],
    unknown,
  ];
  server.close();
  return [near, far];
}

/** Waits until something is true. @throws {Error} when it is not in time */
export async function until(what: string, condition: () => boolean, withinMs = 60_000): Promise<void> {
  for (const end = performance.now() + withinMs; !condition(); ) {
    if (performance.now() > end) throw new Error(`not in time: ${what}`);
    await new Promise(resolve => setTimeout(resolve, 10));
  }
}

export const sleep = (ms: number) => new Promise(resolve => setTimeout(resolve, ms));
