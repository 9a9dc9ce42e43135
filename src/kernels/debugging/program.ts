import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';

const LISTENS = /^Debugger listening on (ws:\/\/127\.0\.0\.1:\d+\/\S+)$/;
/** What Node.js and Deno say of their debugger, among what the program prints. */
const NOISE: ReadonlySet<string> = new Set([
  'For help, see: https://nodejs.org/learn/getting-started/debugging',
  'For help, see: https://nodejs.org/en/docs/inspector',
  'Debugger attached.',
  'Waiting for the debugger to disconnect...',
  'Visit chrome://inspect to connect to the debugger.',
  'Deno is waiting for debugger to connect.',
  'Debugger session started.',
  'Debugger session ended',
  'Debugger session ended (runtime was torn down)',
]);
/** A process that the program has left may hold its output open, milliseconds. */
const LINGER_MS = 1000;
/** Of the event loop, each of which reads what has been printed: after a standstill the time is over before anything is read. */
const LAST_TURNS = 20;

export interface ProgramListener {
  output(category: 'stdout' | 'stderr', text: string): void | Promise<void>;
  /** Its debugger can be connected to. */
  listens(url: string): void;
  /** After all of its output. */
  ended(code: number): void;
}

/** A program that is debugged, with an empty standard input. */
export class Program {
  readonly #child: ChildProcess;

  constructor(
    [command = '', ...args]: readonly string[],
    place: { cwd: string; env: NodeJS.ProcessEnv },
    listener: ProgramListener,
  ) {
    const child = spawn(command, args, { ...place, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    const tell = (category: 'stdout' | 'stderr') => (text: string) => listener.output(category, text);
    const quiet = new WithoutNoise(tell('stderr'), url => listener.listens(url));
    const streams = [read(child.stdout!, tell('stdout')), read(child.stderr!, text => quiet.add(text))];
    const both = Promise.all(streams).then(() => quiet.end());
    let failed = 0;
    child.on('error', error => {
      listener.output('stderr', `${error.message}\n`);
      failed = 127;
      listener.ended(failed);
    });
    child.on('exit', async (code, signal) => {
      await Promise.race([both, lastTurns()]);
      if (!failed) listener.ended(code ?? 128 + (signal ? constants.signals[signal] : 0));
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  signal(name: 'SIGTERM' | 'SIGKILL'): void {
    this.#child.kill(name);
  }
}

async function lastTurns(): Promise<void> {
  await sleep(LINGER_MS);
  for (let turn = 0; turn < LAST_TURNS; turn++) await nextTurn();
}

async function read(stream: Readable, take: (text: string) => void | Promise<void>): Promise<void> {
  const decoder = new StringDecoder('utf8');
  for await (const bytes of stream) await take(decoder.write(bytes));
  await take(decoder.end());
}

/** Takes lines out of a stream without holding back what can be none of them. */
class WithoutNoise {
  readonly #tell: (text: string) => void | Promise<void>;
  readonly #listens: (url: string) => void;
  #begun = '';

  constructor(tell: (text: string) => void | Promise<void>, listens: (url: string) => void) {
    this.#tell = tell;
    this.#listens = listens;
  }

  async add(text: string): Promise<void> {
    const lines = (this.#begun + text).split('\n');
    const last = lines.pop()!;
    let told = lines
      .filter(line => !this.#isNoise(line))
      .map(line => `${line}\n`)
      .join('');
    if (mayBecomeNoise(last)) this.#begun = last;
    else {
      this.#begun = '';
      told += last;
    }
    if (told !== '') await this.#tell(told);
  }

  async end(): Promise<void> {
    if (this.#begun !== '') await this.#tell(this.#begun);
  }

  #isNoise(line: string): boolean {
    const [, url] = LISTENS.exec(line) ?? [];
    if (url === undefined) return NOISE.has(line);
    this.#listens(url);
    return true;
  }
}

function mayBecomeNoise(begun: string): boolean {
  if (begun === '') return false;
  const listens = 'Debugger listening on ws://';
  const could = (whole: string) => whole.startsWith(begun);
  return could(listens) || (begun.startsWith(listens) && begun.length < 200) || [...NOISE].some(could);
}
