import type { CommandRun } from '../supervision/command-run.ts';

/** Has a run cancelled when a signal aborts, until the returned function is called. */
export function cancelledWith(signal: AbortSignal, run: CommandRun): () => void {
  const cancel = () => run.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  if (signal.aborted) cancel();
  return () => signal.removeEventListener('abort', cancel);
}
