import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { PolicyTexts } from '../network-rules/policy.ts';
import { guarded } from '../wire/guarded.ts';
import {
  CONTROL_FD,
  type Denial,
  type EgressEvent,
  type EgressRequest,
  type EgressSetup,
  MAX_LINE_LENGTH,
  type NetGreeting,
  type NetUsage,
  type PortGreeting,
} from './egress/protocol.ts';

const MAIN = fileURLToPath(new URL('./egress/main.ts', import.meta.url));
const START_MS = 20_000;
/** Until it has told what passed on a connection that is closed, milliseconds. */
const OVER_MS = 10_000;
const KEPT_STDERR = 2000;
/** Of the server's environment, beside what it is told. */
const PASSED_ON = ['PATH', 'NODE_EXTRA_CA_CERTS'] as const;

/** Look-ups at once, which wait in threads; with four of them a few slow names would hold up everybody's. */
const LOOK_UPS = '64';

/** The process has ended, or does not do what it should. */
export class EgressLost extends Error {}

/** What a network is told by the process. */
export interface NetListener {
  onListening(refused: { port: number; error: number } | null): void;
  onDenied(denial: Denial): void;
  onUsage(usage: NetUsage): void;
  /** Once, after the connection has ended, and nothing after it; null: nobody knows what passed. */
  onOver(usage: NetUsage | null): void;
}

/** The egress process (egress/main.ts), as the server holds it. Disposing of it ends it and waits for that. */
export class EgressProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #socket = `codebeaker-egress-${randomBytes(8).toString('hex')}`;
  readonly #key = randomBytes(24).toString('hex');
  readonly #ready = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<void>();
  readonly #nets = new Map<number, NetListener>();
  #last = 0;
  #dead = false;
  #line = '';
  #stderr = '';

  private constructor(setup: Omit<EgressSetup, 'socket' | 'key'>) {
    const words = ['--permission', '--allow-fs-read=*', '--no-warnings', MAIN];
    const passed = PASSED_ON.flatMap(name => (process.env[name] ? [[name, process.env[name]]] : []));
    this.#child = spawn(process.execPath, words, {
      cwd: '/',
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
      env: { ...Object.fromEntries(passed), UV_THREADPOOL_SIZE: LOOK_UPS },
      // A signal for the server's whole process group must not reach it: it ends after the server.
      detached: true,
    });
    const lost = (why: string) => this.#end(why);
    this.#child.once('error', error => lost(error.message));
    this.#child.once('close', () => lost(this.#stderr.trim() || 'it has ended'));
    for (const stream of this.#child.stdio) stream?.on('error', () => {});
    const broken = (error: Error) => {
      this.#child.kill('SIGKILL');
      lost(`it broke its protocol: ${error.message}`);
    };
    const onText = (text: string) => this.#onText(text);
    this.#control.setEncoding('utf8').on('data', guarded(onText, broken));
    const onStderr = (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-KEPT_STDERR);
    };
    this.#child.stderr?.setEncoding('utf8').on('data', guarded(onStderr, broken));
    this.#send({ ...setup, socket: this.#socket, key: this.#key });
  }

  /** @throws {EgressLost} */
  static async start(setup: Omit<EgressSetup, 'socket' | 'key'>): Promise<EgressProcess> {
    const made = new EgressProcess(setup);
    const timer = setTimeout(() => made.#end('it did not start in time'), START_MS);
    try {
      await made.#ready.promise;
      return made;
    } catch (error) {
      await made[Symbol.asyncDispose]();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get dead(): boolean {
    return this.#dead;
  }

  /** A network's connection to it, on which the relay's frames go. The listener is told until it is over. */
  open(policy: PolicyTexts, bytes: number, listener: NetListener): { net: number; socket: Socket } {
    const net = ++this.#last;
    const socket = this.#connect({ key: this.#key, net, policy, bytes });
    this.#nets.set(net, listener);
    // It may never have heard of it.
    socket.once('close', () => setTimeout(() => this.#over(net, null), OVER_MS).unref());
    return { net, socket };
  }

  /** A connection to a port inside: a byte comes first when something listens there (CONNECTED), or it is closed. */
  connect(net: number, port: number): Socket {
    return this.#connect({ key: this.#key, net, port });
  }

  ask(request: EgressRequest): void {
    this.#send(request);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended.promise;
  }

  #connect(greeting: NetGreeting | PortGreeting): Socket {
    const socket = connect({ path: `\0${this.#socket}`, allowHalfOpen: true });
    socket.on('error', () => {});
    socket.write(`${JSON.stringify(greeting)}\n`);
    return socket;
  }

  get #control(): Duplex {
    return this.#child.stdio[CONTROL_FD] as Duplex;
  }

  #send(line: object): void {
    this.#control.write(`${JSON.stringify(line)}\n`);
  }

  #onText(text: string): void {
    this.#line += text;
    if (this.#line.length > MAX_LINE_LENGTH) throw new Error('a line that is too long');
    const lines = this.#line.split('\n');
    this.#line = lines.pop()!;
    for (const line of lines) this.#onEvent(JSON.parse(line) as EgressEvent);
  }

  #onEvent(event: EgressEvent): void {
    if (event.event === 'ready') return this.#ready.resolve();
    const listener = this.#nets.get(event.net);
    if (event.event === 'listening') listener?.onListening(event.refused);
    else if (event.event === 'denied') listener?.onDenied(event.denial);
    else if (event.event === 'usage') listener?.onUsage(event.usage);
    else if (event.event === 'over') this.#over(event.net, event.usage);
    else throw new Error('an unknown event');
  }

  #over(net: number, usage: NetUsage | null): void {
    const listener = this.#nets.get(net);
    this.#nets.delete(net);
    listener?.onOver(usage);
  }

  #end(why: string): void {
    this.#dead = true;
    for (const net of [...this.#nets.keys()]) this.#over(net, null);
    this.#ready.promise.catch(() => {});
    this.#ready.reject(new EgressLost(`the egress process: ${why}`));
    if (this.#child.exitCode !== null || this.#child.signalCode !== null || this.#child.pid === undefined)
      this.#ended.resolve();
  }
}
