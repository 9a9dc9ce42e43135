import { spawnSync } from 'node:child_process';
import type { ReadStream, WriteStream } from 'node:tty';
import { bytesOf, type Run } from '../client/run.ts';
import { Escape } from './escape.ts';
import { exitCodeOfSignal } from './exit-codes.ts';
import { write } from './print.ts';

/** What a program may have switched on in a terminal and left so: the other screen, mouse reports, bracketed paste, colours; and a hidden cursor. */
const AS_BEFORE = '\x1b[?47l\x1b[?1000;1002;1003;1004;1006;2004l\x1b[?7h\x1b[?25h\x1b[0m';
const SIGNALS = ['SIGTERM', 'SIGHUP', 'SIGINT'] as const;

/** Sides that the service takes. */
const SIDE = { least: 1, most: 1000 };
const DEFAULT_SIZE = { cols: 80, rows: 24 };

export function sizeOf({ columns, rows }: { columns?: number; rows?: number }): {
  cols: number;
  rows: number;
} {
  const bounded = (side: number | undefined, otherwise: number) =>
    Math.min(SIDE.most, Math.max(SIDE.least, side || otherwise));
  return { cols: bounded(columns, DEFAULT_SIZE.cols), rows: bounded(rows, DEFAULT_SIZE.rows) };
}

/**
 * Joins this process's terminal with a run's until it has ended, or the user leaves. However this ends, the terminal is as it was
 * before.
 */
export async function useTerminal(
  run: Run,
  { stdin, stdout }: { stdin: ReadStream; stdout: WriteStream },
): Promise<'ended' | 'left'> {
  const restore = makeRaw(stdin, stdout);
  const { promise: left, resolve: leave } = Promise.withResolvers<'left'>();
  const keys = new Escape();
  const type = (typed: Uint8Array) => {
    const { send, leaves } = keys.take(typed);
    // What is lost with the connection is told by its end.
    if (send.byteLength > 0) run.input(send).catch(() => {});
    if (leaves) leave('left');
  };
  const resize = () => {
    const { cols, rows } = sizeOf(stdout);
    run.resize(cols, rows).catch(() => {});
  };
  stdin.on('data', type);
  stdin.on('end', () => leave('left'));
  stdout.on('resize', resize);
  // It may have changed since its size was asked for.
  resize();
  const show = async (): Promise<'ended'> => {
    for await (const event of run) if (event.type === 'output') await write(stdout, bytesOf(event));
    return 'ended';
  };
  try {
    return await Promise.race([show(), left]);
  } finally {
    stdin.off('data', type).pause();
    stdout.off('resize', resize);
    restore();
  }
}

/** Every key is the program's. @returns what undoes it, which happens at this process's end in any case */
function makeRaw(stdin: ReadStream, stdout: WriteStream): () => void {
  let isRaw = true;
  const restore = () => {
    if (!isRaw) return;
    isRaw = false;
    stdin.setRawMode(false);
    stdout.write(AS_BEFORE);
  };
  const end = (signal: NodeJS.Signals) => process.exit(exitCodeOfSignal(signal));
  process.once('exit', restore);
  for (const signal of SIGNALS) process.on(signal, end);
  stdin.setRawMode(true);
  // Node.js leaves line feeds to be completed, and a program that draws means them as they are. Ends with raw mode.
  spawnSync('stty', ['-opost'], { stdio: ['inherit', 'ignore', 'ignore'] });
  return () => {
    restore();
    process.off('exit', restore);
    for (const signal of SIGNALS) process.off(signal, end);
  };
}
