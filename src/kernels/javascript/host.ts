import type { TypedParser } from './syntax/typed-parser.ts';

/** The descriptor on which the service speaks; see ../protocol.ts. */
export const CONTROL = 3;

/** What Bun, Node.js and Deno do differently. */
export interface Host {
  /** Calls back with every line that the service says; ends the process when it is gone. */
  listen(heard: (line: string) => void): void;
  /** Writes a whole line before it returns: what is said last must be out before a program's next move. */
  send(line: string): void;
  /** A fresh descriptor 0 for a cell; a named pipe is unlinked once it is open. */
  openInput(path: string): void;
  /** Resolves when all that was printed has left the process. */
  flush(): Promise<unknown> | null;
  /** Calls back with what was thrown where nobody caught it. */
  onStray(survive: (thrown: unknown) => void): void;
  /**
   * Calls what a cell is, without a frame of ours below it if it can. Where the engine can, SIGINT ends it, whatever it does, and it
   * does not begin where the service has interrupted this cell already.
   */
  call(run: () => unknown, cell: number): unknown;
  /** Whether what a call threw says that SIGINT ended it. */
  isInterrupt(thrown: unknown): boolean;
  /** Puts right what an interrupt has torn; false when that can't be done. */
  mend(): Promise<boolean>;
  /** Any other SIGINT ends the process while what was called runs, and nothing between cells. */
  onInterrupt(running: () => boolean): void;
  /** A value as text, as the runtime's own REPL shows it. */
  inspect(value: unknown): string;
  /** Runs a script in the global scope. */
  evaluate(script: string): unknown;
  /** TypeScript without its types as the runtime itself reads it, for what our reader can't. @throws for a syntax error */
  strip(code: string): string;
  /** Reads the parser of TypeScript, which lies beside: it is as much as the rest of the kernel. Called once. */
  typedParser(): typeof TypedParser;
  readonly modules: Modules;
}

/** How a cell comes by modules. */
export interface Modules {
  readonly require: NodeJS.Require;
  /** What `import.meta` is in a cell. */
  readonly meta: object;
  /** What `import()` is in a cell. */
  import(specifier: string, options?: object): Promise<unknown>;
  /** Forgets the modules of the workspace that are no longer what they were read from, and those that import them. */
  refresh(): void;
}
