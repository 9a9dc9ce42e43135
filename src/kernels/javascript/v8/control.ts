/** The descriptor on which the service speaks; see ../../protocol.ts. */
export const CONTROL = 3;

/** What Node.js and Deno do differently. */
export interface Host {
  /** Calls back with every line that the service says; ends the process when it is gone. */
  listen(heard: (line: string) => void): void;
  /** Writes a whole line before it returns: what is said last must be out before a program's next move. */
  send(line: string): void;
  /** A fresh descriptor 0 for a cell; a named pipe is unlinked once it is open. */
  openInput(path: string): void;
  /** Resolves when all that was printed has left the process. */
  flush(): Promise<void> | void;
  /** Calls back with what was thrown where nobody caught it. */
  onStray(survive: (thrown: unknown) => void): void;
  /** Runs something to its return; where the engine can, SIGINT ends it, whatever it does. @throws then */
  interruptibly(run: () => void): void;
  /** Puts right what an interrupt has torn; false when that can't be done. */
  mend(): Promise<boolean>;
  /** Any other SIGINT ends the process while a cell runs, and nothing between cells. */
  onInterrupt(running: () => boolean): void;
}

/** As they were before a cell could replace them. */
const { call } = Function.prototype;
const indexOf = call.bind(String.prototype.indexOf) as (text: string, part: string) => number;
const slice = call.bind(String.prototype.slice) as (text: string, from: number, to?: number) => string;

/** Cuts text into lines as it comes. */
export function lineCutter(heard: (line: string) => void): (text: string) => void {
  let held = '';
  return text => {
    held += text;
    for (let end = indexOf(held, '\n'); end >= 0; end = indexOf(held, '\n')) {
      const line = slice(held, 0, end);
      held = slice(held, end + 1);
      heard(line);
    }
  };
}

/** Waits for what a full pipe has not taken yet; what was written to the descriptors themselves is out already. */
export function flush(): Promise<void> | void {
  const streams = [process.stdout, process.stderr].filter(stream => stream.writableLength > 0);
  if (streams.length === 0) return;
  const written = streams.map(stream => new Promise<void>(resolve => stream.write('', () => resolve())));
  return Promise.all(written).then(() => {});
}
