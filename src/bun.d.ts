/** The part of Bun's own interface that the launcher and the bundler use (https://bun.sh/docs/api). */
declare namespace Bun {
  interface Subprocess<In = unknown, Out = unknown, Err = unknown> {
    readonly exited: Promise<number>;
    readonly stdin: In extends 'pipe' ? Writer : undefined;
    readonly stdout: Out extends 'pipe' ? Bytes : undefined;
    readonly stderr: Err extends 'pipe' ? Bytes : undefined;
    kill(signal?: string): void;
  }
  type Bytes = ReadableStream<Uint8Array> & AsyncIterable<Uint8Array>;
  interface Writer {
    write(data: string | Uint8Array): void;
    flush(): number | Promise<number>;
  }
  function spawn<In, Out, Err>(options: {
    cmd: readonly string[];
    cwd?: string;
    env?: Record<string, string>;
    stdin?: In;
    stdout?: Out;
    stderr?: Err;
  }): Subprocess<In, Out, Err>;
  function sleep(ms: number): Promise<void>;
  function which(name: string, options?: { PATH: string }): string | null;
  interface Plugin {
    readonly name: string;
    setup(build: Build): void;
  }
  function build(options: {
    entrypoints: readonly string[];
    root: string;
    naming: string;
    target: 'node' | 'bun';
    format: 'esm';
    external: readonly string[];
    define: Readonly<Record<string, string>>;
    plugins: readonly Plugin[];
  }): Promise<{ outputs: readonly { path: string; text(): Promise<string> }[] }>;
  interface Build {
    onLoad(
      of: { filter: RegExp; namespace: string },
      load: (file: { path: string }) => { contents: string; loader: 'js' | 'ts' } | undefined,
    ): void;
    onResolve(
      of: { filter: RegExp },
      resolve: (file: { path: string }) => { path: string; namespace: string },
    ): void;
  }
  const stdin: { stream(): Bytes };
  const stdout: { writer(): Writer };
}
