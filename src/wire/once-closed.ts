import type { EventEmitter } from 'node:events';

/** What can be destroyed, an answer of a server's too. */
interface Closable extends EventEmitter {
  readonly destroyed: boolean;
}

/** Does something when a stream is closed. Where it was before it is asked no event says so any more, and it is done at once. */
export function onceClosed(stream: Closable, act: () => void): void {
  if (stream.destroyed) act();
  else stream.once('close', act);
}
