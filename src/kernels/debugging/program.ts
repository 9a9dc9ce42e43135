import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { BunBanner } from './bun-banner.ts';
import type { Engine } from './debuggee.ts';
import { V8Noise } from './v8-noise.ts';

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

/** A program that is or could be debugged, with an empty standard input. */
export class Program {
  readonly #child: ChildProcess;

  /** `engine`: whose words of its debugger are left out of what it prints; null without one. */
  constructor(
    [command = '', ...args]: readonly string[],
    { engine, ...place }: { engine: Engine | null; cwd: string; env: NodeJS.ProcessEnv },
    listener: ProgramListener,
  ) {
    const child = spawn(command, args, { ...place, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    const tell = (category: 'stdout' | 'stderr') => (text: string) => listener.output(category, text);
    const Quiet = engine === 'v8' ? V8Noise : BunBanner;
    const quiet = engine && new Quiet(tell('stderr'), url => listener.listens(url));
    const hear = quiet ? (text: string) => quiet.add(text) : tell('stderr');
    const streams = [read(child.stdout!, tell('stdout')), read(child.stderr!, hear)];
    const both = Promise.all(streams).then(() => quiet?.end());
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
