import type { Call } from '../../src/service/call.ts';
import type { EventStream, RunningProgram, Service } from '../../src/service/service.ts';
import { RpcError } from './connect-protocol.ts';
import { type Selector, type StartRequest, signalNamed } from './process-messages.ts';
import type { Followed } from './process-streams.ts';
import type { Sandbox } from './sandboxes.ts';

/** Where a tag is kept: as the beginning of a command's id, which the service makes up for those without one. */
const TAG = 'tag:';
/** Most characters of arguments and environments in a list of programs: each program may have megabytes of them. */
const MOST_LISTED = 1024 * 1024;
/** How long who kills a program waits for its end, milliseconds: clients look right after whether it is gone. */
const END_MS = 2000;

/** Programs of sandboxes, as the daemon of E2B starts and names them. */
export class Processes {
  readonly #sessions: Service['sessions'];
  readonly #processes: Service['processes'];

  constructor({ sessions, processes }: Service) {
    this.#sessions = sessions;
    this.#processes = processes;
  }

  /**
   * Starts a program, which goes on when its client has gone, until its timeout. `reader.signal` ends the following of it.
   * @throws {RpcError}
   */
  async start(
    { id }: Sandbox,
    { process: { cmd, args, envs, cwd }, pty, tag, stdin = true }: StartRequest,
    timeoutMs: number | undefined,
    reader: Call,
  ): Promise<Followed> {
    const command = {
      type: 'execute_shell',
      id: tag === undefined ? undefined : TAG + tag,
      params: {
        commandName: cmd,
        ...(args && { args }),
        ...(envs && { environment: envs }),
        workingDirectory: cwd || '.',
        ...(pty && { pty: pty.size }),
        background: true,
      },
      at: '',
    } as const;
    let events: Promise<EventStream | null> | undefined;
    let program: RunningProgram | undefined;
    // It is not for this caller alone.
    const { signal } = new AbortController();
    const { result } = await this.#sessions.execute(
      id,
      command,
      { ...reader, signal },
      {
        apart: true,
        interactive: stdin,
        wallMs: timeoutMs,
        onTaken: ({ executionId }) => {
          events = this.#sessions.commandEvents(id, executionId, reader, 0);
          events.catch(() => {});
        },
        onStarted: started => {
          program = started;
        },
      },
    );
    const stream = await events;
    if (!result.success || !program || !stream)
      throw new RpcError('invalid_argument', result.error ?? 'the program could not be started');
    return { pid: program.pid, isTerminal: program.pty, events: stream, hasTimeout: true };
  }

  /** What a program that runs prints from now on. @throws {RpcError} not_found */
  async follow(sandbox: Sandbox, selector: Selector, reader: Call): Promise<Followed> {
    const { executionId, pid, pty } = await this.#find(sandbox, selector, reader);
    const events = await this.#sessions.commandEvents(sandbox.id, executionId, reader, null);
    if (!events) throw notFound(selector);
    return { pid, isTerminal: pty, events, hasTimeout: false };
  }

  /** Of what would make the answer too large, only the name. */
  async list({ id }: Sandbox, call: Call): Promise<object[]> {
    const programs = await this.#processes.list(id, call);
    let room = MOST_LISTED;
    return programs
      .filter(({ cwd }) => cwd !== null)
      .map(({ pid, commandId, commandName: cmd, args, environment: envs, cwd }) => {
        const length = lengthOf([...args, ...Object.entries(envs).flat()]);
        const fits = length <= room;
        if (fits) room -= length;
        return {
          config: { cmd, ...(fits ? { args, envs } : { args: [], envs: {} }), cwd },
          pid,
          ...(commandId.startsWith(TAG) && { tag: commandId.slice(TAG.length) }),
        };
      });
  }

  async input(sandbox: Sandbox, selector: Selector, data: Buffer, call: Call): Promise<void> {
    const { executionId } = await this.#find(sandbox, selector, call);
    await this.#processes.input({ executionId }, data, false, call);
  }

  async closeInput(sandbox: Sandbox, selector: Selector, call: Call): Promise<void> {
    const { executionId } = await this.#find(sandbox, selector, call);
    await this.#processes.input({ executionId }, new Uint8Array(0), true, call);
  }

  async signal(
    sandbox: Sandbox,
    selector: Selector,
    signal: string | number | undefined,
    call: Call,
  ): Promise<void> {
    const name = signalNamed(signal);
    if (!name) throw new RpcError('unimplemented', 'signal must be SIGNAL_SIGTERM or SIGNAL_SIGKILL');
    const { executionId } = await this.#find(sandbox, selector, call);
    const follower = { ...call, signal: AbortSignal.any([call.signal, AbortSignal.timeout(END_MS)]) };
    const events =
      name === 'SIGKILL' ? await this.#sessions.commandEvents(sandbox.id, executionId, follower, null) : null;
    await this.#processes.signal({ executionId }, name, call);
    if (events) await endOf(events);
  }

  async resize(
    sandbox: Sandbox,
    selector: Selector,
    size: { readonly cols: number; readonly rows: number },
    call: Call,
  ): Promise<void> {
    const { executionId } = await this.#find(sandbox, selector, call);
    await this.#processes.resize({ executionId }, size, call);
  }

  async #find({ id }: Sandbox, selector: Selector, call: Call): Promise<RunningProgram> {
    const { pid, tag } = selector;
    if ((pid === undefined) === (tag === undefined))
      throw new RpcError('invalid_argument', 'process: one of pid and tag is needed');
    const programs = await this.#processes.list(id, call);
    const found = programs.findLast(each =>
      tag === undefined ? each.pid === pid : each.commandId === TAG + tag,
    );
    if (!found) throw notFound(selector);
    return found;
  }
}

/** Resolves once a program has ended, or is followed no more. */
async function endOf(events: EventStream): Promise<void> {
  try {
    for await (const { method } of events) if (method === 'execution.completed') return;
  } catch {
    // Its sandbox has ended with it.
  }
}

function lengthOf(texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + text.length, 0);
}

function notFound({ pid, tag }: Selector): RpcError {
  const what = tag === undefined ? `pid ${pid}` : `tag ${JSON.stringify(tag)}`;
  return new RpcError('not_found', `process with ${what} not found`);
}
