/** The part of Bun's own interface that the launcher uses (https://bun.sh/docs/api); the agent needs none of it. */
declare namespace Bun {
  interface Subprocess<In = unknown, Out = unknown, Err = unknown> {
    readonly exited: Promise<number>;
    readonly stdin: In;
    readonly stdout: Out;
    readonly stderr: Err extends 'pipe' ? ReadableStream<Uint8Array> & AsyncIterable<Uint8Array> : undefined;
    kill(signal?: string): void;
  }
  function spawn<In, Out, Err>(options: {
    cmd: readonly string[];
    env?: Record<string, string>;
    stdin?: In;
    stdout?: Out;
    stderr?: Err;
  }): Subprocess<In, Out, Err>;
  function sleep(ms: number): Promise<void>;
  function which(name: string, options?: { PATH: string }): string | null;
  const stdin: { stream(): ReadableStream<Uint8Array> & AsyncIterable<Uint8Array> };
  const stdout: { writer(): { write(text: string): void; flush(): number | Promise<number> } };
}
