import { constants } from 'node:os';
import { invalid, ServiceError } from '../errors.ts';
import type { CommandRun } from './command-run.ts';
import type { OneShots } from './executions.ts';
import type { InputPort } from './program.ts';
import type { Call, Processes, ProcessTarget } from './service.ts';
import type { SessionManager } from './session-manager.ts';

/** Finds the running program a client means, and speaks to it. */
export class RunningProcesses implements Processes {
  readonly #sessions: SessionManager;
  readonly #executions: OneShots;

  constructor(sessions: SessionManager, executions: OneShots) {
    this.#sessions = sessions;
    this.#executions = executions;
  }

  async input(target: ProcessTarget, data: Uint8Array, eof: boolean, call: Call): Promise<void> {
    const port = await this.#port(target, call);
    if (!port)
      throw new ServiceError('CONFLICT', 'The program takes no input: it was not started with stream: true');
    if (data.byteLength) await port.write(data);
    if (eof) port.endInput();
  }

  async signal(target: ProcessTarget, signal: string, call: Call): Promise<void> {
    if (!(signal in constants.signals))
      throw invalid('signal', 'is not the name of a signal, such as SIGINT');
    const port = await this.#port(target, call);
    port?.signal(signal as `SIG${string}`);
  }

  async #port(target: ProcessTarget, call: Call): Promise<InputPort | null> {
    const run = this.#run(target, call);
    if (!run?.running) throw new ServiceError('NOT_FOUND', 'No such program is running');
    return run.port();
  }

  #run({ sessionId, executionId, commandId }: ProcessTarget, call: Call): CommandRun | undefined {
    if (executionId !== undefined) {
      return this.#executions.find(executionId, call)?.run ?? this.#sessions.findRun(executionId, call)?.run;
    }
    if (sessionId === undefined) throw invalid('sessionId', 'missing; or give executionId');
    return this.#sessions.find(sessionId, call).runningCommand(commandId);
  }
}
