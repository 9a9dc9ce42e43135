import { constants } from 'node:os';
import type { ExecutionEvent } from '../../src/schemas/events.ts';
import { CAUSE_IN_WORDS } from '../../src/schemas/outcome.ts';

type Completed = Extract<ExecutionEvent, { method: 'execution.completed' }>['params'];
type Output = Extract<ExecutionEvent, { method: 'execution.output' }>['params'];

/** Signals in the words of their daemon (Go's syscall.Signal). */
const WORDS: Readonly<Record<string, string>> = {
  SIGHUP: 'hangup',
  SIGINT: 'interrupt',
  SIGQUIT: 'quit',
  SIGILL: 'illegal instruction',
  SIGTRAP: 'trace/breakpoint trap',
  SIGABRT: 'aborted',
  SIGBUS: 'bus error',
  SIGFPE: 'floating point exception',
  SIGKILL: 'killed',
  SIGUSR1: 'user defined signal 1',
  SIGSEGV: 'segmentation fault',
  SIGUSR2: 'user defined signal 2',
  SIGPIPE: 'broken pipe',
  SIGALRM: 'alarm clock',
  SIGTERM: 'terminated',
};

export const startEvent = (pid: number) => ({ event: { start: { pid } } });
export const KEEPALIVE = { event: { keepalive: {} } };

/** Bytes as they were printed, in base64. */
export function dataEvent({ stream, text, data }: Output, isTerminal: boolean): object {
  const bytes = data ?? Buffer.from(text ?? '').toString('base64');
  return { event: { data: { [isTerminal ? 'pty' : stream]: bytes } } };
}

/** How a program has ended; a limit that ended it is named. */
export function endEvent({ exitCode, signal, outcome }: Completed): object {
  const why = (outcome && CAUSE_IN_WORDS[outcome]) ?? null;
  const because = (status: string) => (why ? `${status}: ${why}` : status);
  if (exitCode === null) {
    const status = `signal: ${nameOf(signal ?? 'SIGKILL')}`;
    return { event: { end: { exitCode: -1, exited: false, status, error: because(status) } } };
  }
  const status = `exit status ${exitCode}`;
  // What is zero is left out.
  const failed = exitCode !== 0 && { exitCode, error: because(status) };
  return { event: { end: { ...failed, exited: true, status } } };
}

function nameOf(signal: string): string {
  const number = constants.signals[signal as keyof typeof constants.signals];
  return WORDS[signal] ?? `signal ${number ?? signal}`;
}
