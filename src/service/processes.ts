import { constants } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import { invalid, ServiceError } from '../errors.ts';
import type { TerminalSize } from '../sandbox.ts';
import type { Call } from './call.ts';
import type { OneShots } from './executions/executions.ts';
import type { Processes, ProcessTarget, RunningProgram } from './service.ts';
import type { SessionManager } from './sessions/session-manager.ts';
import type { CommandRun } from './supervision/command-run.ts';
import type { RunHandle } from './supervision/program.ts';
import { runningProgram } from './supervision/running-program.ts';

/** Turns of the event loop for which a command may still be on its way. */
const PATIENCE_TURNS = 5;

/** Finds the running program a client means, and speaks to it. */
export class RunningProcesses implements Processes {
  readonly #sessions: SessionManager;
  readonly #executions: OneShots;

  constructor(sessions: SessionManager, executions: OneShots) {
    this.#sessions = sessions;
    this.#executions = executions;
  }

  async list(sessionId: string, call: Call): Promise<RunningProgram[]> {
    const session = this.#sessions.find(sessionId, call);
    session.touch();
    return session.runningCommands().flatMap(run => runningProgram(run) ?? []);
  }

  input(target: ProcessTarget, data: Uint8Array, eof: boolean, call: Call): Promise<void> {
    return this.#sessions.withInput(call, data, () => this.#input(target, data, eof, call));
  }

  async #input(target: ProcessTarget, data: Uint8Array, eof: boolean, call: Call): Promise<void> {
    const { input } = await this.#handle(target, call);
    if (!input)
      throw new ServiceError(
        'CONFLICT',
        'The program takes no input: that needs stream: true and no stdin of its own, or pty',
      );
    if (data.byteLength) await input.write(data);
    if (eof) input.endInput();
  }

  async resize(target: ProcessTarget, size: TerminalSize, call: Call): Promise<void> {
    const { resize } = await this.#handle(target, call);
    if (!resize) throw new ServiceError('CONFLICT', 'The program has no terminal: that needs pty');
    resize(size);
  }

  async signal(target: ProcessTarget, signal: string, call: Call): Promise<void> {
    if (!(signal in constants.signals))
      throw invalid('signal', 'is not the name of a signal, such as SIGINT');
    const handle = await this.#handle(target, call);
    handle.signal(signal as `SIG${string}`);
  }

  async #handle(target: ProcessTarget, call: Call): Promise<RunHandle> {
    // A client may send input right behind the command that will read it.
    let run = this.#run(target, call);
    for (let turn = 0; !run?.running && turn < PATIENCE_TURNS; turn++) {
      await setImmediate();
      run = this.#run(target, call);
    }
    const handle = run?.running ? await run.handle() : null;
    // What a sandbox that is slow to take it is sent would pile up.
    await handle?.drained();
    if (handle) return handle;
    throw new ServiceError('NOT_FOUND', 'No such program is running');
  }

  #run({ sessionId, executionId, commandId }: ProcessTarget, call: Call): CommandRun | undefined {
    if (executionId !== undefined) {
      const found = this.#sessions.findRun(executionId, call);
      found?.session.touch();
      return found?.run ?? this.#executions.find(executionId, call)?.run;
    }
    if (sessionId === undefined) throw invalid('sessionId', 'missing; or give executionId');
    const session = this.#sessions.find(sessionId, call);
    session.touch();
    return session.runningCommand(commandId);
  }
}
