import type { Process, Sandbox, SignalName, SpawnSpec, TerminalSize } from '../../sandbox.ts';
import type { ExitStatus, OutputSink, SupervisedRun } from './supervise.ts';

/** Access of `process.*` to a run. */
export interface RunHandle {
  /** As the sandbox counts. */
  readonly pid: number;
  readonly argv: readonly string[];
  /** Where it started; undefined for an interpreter. */
  readonly cwd?: string;
  /** What its command adds to the environment of its session. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Null when the client can't write to its standard input. */
  readonly input: Input | null;
  /** Resolves when its sandbox takes more; undefined when it does. */
  readonly drained: () => Promise<void> | undefined;
  signal(name: SignalName): void;
  /** Of a program with a terminal. */
  readonly resize?: (size: TerminalSize) => void;
}

type Input = Pick<Process, 'write' | 'endInput'>;

export interface StartedProgram extends SupervisedRun {
  readonly process: Process;
}

/**
 * Starts a program in a sandbox and hands its output to a sink until it has ended. `written`: what it needs was asked for before it;
 * where that fails nothing comes of the program, whose sandbox is to be closed then.
 */
export async function startProgram(
  sandbox: Sandbox,
  spec: SpawnSpec,
  sink: OutputSink,
  written?: Promise<void>,
): Promise<StartedProgram> {
  const process = await sandbox.spawn(spec);
  await written;
  const stop = () => process.kill({ flush: true });
  const { meter } = process;
  return { process, meter, ended: pump(process, sink), stop, sweep: () => process.kill() };
}

async function pump(process: Process, sink: OutputSink): Promise<ExitStatus> {
  for await (const event of process.events) {
    if (event.type === 'output') {
      const wait = sink(event.stream, event.data);
      if (wait) await wait;
    } else if (event.type === 'exit') return { exitCode: event.code, signal: event.signal };
  }
  throw new Error('a process ended without an exit');
}

/** Standard input of a program: a file that holds the text, else a pipe for one that takes live input. */
export function stdinOf(text: string | undefined, interactive: boolean): SpawnSpec['stdin'] {
  if (text) return Buffer.from(text, 'utf8');
  return interactive && text === undefined ? 'pipe' : 'none';
}
