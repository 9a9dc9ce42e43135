import { randomUUID } from 'node:crypto';
import type { CommandResult } from '../../src/commands/command-result.ts';
import type { CommandRequest } from '../../src/commands/index.ts';
import { ServiceError } from '../../src/errors.ts';
import type { StatusResponse } from '../../src/schemas/execution.ts';
import type { SessionInfo } from '../../src/schemas/session.ts';
import type { Call, CallLog } from '../../src/service/call.ts';
import { EventLog } from '../../src/service/events/event-log.ts';
import type { ExecuteOptions, ExecuteReply, Health, Service } from '../../src/service/service.ts';
import { Lanes, laneOf } from '../../src/service/sessions/lanes.ts';

interface Session {
  readonly info: SessionInfo;
  readonly owner: string | null;
  readonly log: EventLog;
}

interface Execution {
  readonly owner: string | null;
  readonly log: EventLog;
  readonly ended: PromiseWithResolvers<StatusResponse>;
  status: StatusResponse;
}

/** A command of the double: what it waits for, what it prints, how it answers. */
interface Doing {
  readonly type?: string;
  readonly id?: string;
  readonly waitFor?: string;
  readonly print?: string[];
  /** Prints that many times 60 000 characters. */
  readonly flood?: number;
  readonly fail?: string;
  readonly context?: string;
  readonly background?: boolean;
}

/** A command that makes the double do something, as a client sends it. */
export function scripted({ id, context, ...doing }: Doing): object {
  const script = JSON.stringify(doing);
  return {
    ...(id !== undefined && { id }),
    ...(doing.background
      ? { type: 'execute_shell', commandName: script, background: true }
      : { type: 'execute_code', code: script, ...(context !== undefined && { context }) }),
  };
}

function doingOf({ type, id, params }: CommandRequest): Doing {
  const own = id !== undefined && { id };
  if (type === 'execute_code' || type === 'execute_shell') {
    const script = type === 'execute_code' ? params.code : params.commandName;
    return { ...own, ...JSON.parse(script), ...(params.stdin !== undefined && { stdin: params.stdin }) };
  }
  return { type, ...own, ...params };
}

const silent = { debug() {}, info() {}, warn() {}, error() {} };
export const log: CallLog & { child(bindings: object): CallLog } = { ...silent, child: () => silent };

/**
 * A service without sandboxes, for what the doors alone decide: envelopes, order, notifications, origins, errors. A
 * program is `{ waitFor, print }` in JSON, and so is a command's code (`scripted`); `open(name)` lets those that wait for a name go on.
 */
export class ServiceDouble implements Service {
  readonly #sessions = new Map<string, Session>();
  readonly #executions = new Map<string, Execution>();
  readonly #lanes = new Lanes();
  readonly #gates = new Map<string, PromiseWithResolvers<void>>();
  /** What was asked, in the order it began. */
  readonly begun: unknown[] = [];
  readonly inputs: { target: unknown; data: string; eof: boolean }[] = [];
  state: Health['status'] = 'healthy';

  open(gate: string): void {
    this.#gate(gate).resolve();
  }

  readonly sessions: Service['sessions'] = {
    create: async (config, call) => {
      if (config.language === 'slow') await this.#gate('create').promise;
      if (config.language === 'broken') throw new TypeError('secret /path/of/the/host');
      const id = randomUUID();
      this.#sessions.set(id, { info: info(id, config), owner: call.owner, log: new EventLog(2000) });
      return info(id, config);
    },
    get: async (id, call) => this.#session(id, call).info,
    list: async (_, call) => {
      const sessions = [...this.#sessions.values()].filter(s => s.owner === call.owner).map(s => s.info);
      return { count: sessions.length, sessions, nextCursor: null };
    },
    keepAlive: async (id, call) => this.#session(id, call).info,
    usage: async () => refused(),
    update: async (id, _change, call) => this.#session(id, call).info,
    setEnd: async (id, _, call) => this.#session(id, call).info,
    closeContext: async () => refused(),
    close: async (id, call) => {
      this.#session(id, call).log.end();
      this.#sessions.delete(id);
      return { sessionId: id, closed: true };
    },
    execute: (id, command, call, options) => {
      const start = () => this.#execute(id, doingOf(command), call, options);
      const lane = laneOf(id, command, call);
      return lane === null ? start() : this.#lanes.run([lane], call.signal, start);
    },
    runCommands: async (where, { commands }, call, options) => {
      if (!('sessionId' in where))
        throw new ServiceError('UNSUPPORTED_LANGUAGE', 'Unsupported language: none');
      const results: CommandResult[] = [];
      for (const command of commands)
        results.push((await this.#execute(where.sessionId, doingOf(command), call, options)).result);
      const success = results.every(each => each.success);
      const result = {
        success,
        results,
        completed: results.length,
        rolledBack: false,
        contextsRestarted: [],
      };
      return { result, completedSeq: null };
    },
    cancel: async (id, _, call) => {
      this.#session(id, call);
      throw new ServiceError('NOT_FOUND', 'Command not found');
    },
    events: async (id, call, afterSeq) => this.#session(id, call).log.read(afterSeq, call.signal),
    commandEvents: async () => null,
  };

  readonly executions: Service['executions'] = {
    start: async (request, call) => {
      if (request.language === 'none')
        throw new ServiceError('UNSUPPORTED_LANGUAGE', 'Unsupported language: none');
      const executionId = randomUUID();
      const execution: Execution = {
        owner: call.owner,
        log: new EventLog(1_000_000),
        ended: Promise.withResolvers(),
        status: status(executionId),
      };
      this.#executions.set(executionId, execution);
      void this.#run(execution, JSON.parse(request.code) as Doing);
      return { executionId, status: 'pending', createdAt: execution.status.createdAt };
    },
    status: async (id, call) => this.#execution(id, call).status,
    recall: async (id, call) => ({ status: this.#execution(id, call).status, note: null }),
    wait: async (id, call) => {
      const aborted = new Promise<never>((_, reject) => {
        const refuse = () => reject(new ServiceError('CANCELLED', 'Cancelled'));
        call.signal.addEventListener('abort', refuse);
        if (call.signal.aborted) refuse();
      });
      aborted.catch(() => {});
      return Promise.race([this.#execution(id, call).ended.promise, aborted]);
    },
    cancel: async (id, call) => {
      const execution = this.#execution(id, call);
      this.#end(execution, 'cancelled');
      return execution.status;
    },
    events: async (id, call, afterSeq) => this.#execution(id, call).log.read(afterSeq, call.signal),
  };

  readonly transfers: Service['transfers'] = {
    download: async () => refused(),
    outputFile: async () => refused(),
    upload: async () => refused(),
    resume: async () => refused(),
    progress: async () => refused(),
    remove: async () => refused(),
    pack: async () => refused(),
    unpack: async () => refused(),
  };

  readonly ports: Service['ports'] = {
    expose: async () => refused(),
    exposeAll: async () => refused(),
    unexpose: async () => refused(),
    list: async () => refused(),
    find: () => 'unknown',
  };
  readonly watches: Service['watches'] = {
    open: async () => ({ watchId: 'watch', start() {} }),
    close: async () => {},
  };

  readonly debugging: Service['debugging'] = {
    start: async () => refused(),
    join: async () => refused(),
  };

  readonly entries: Service['entries'] = {
    describe: async () => refused(),
    list: async () => refused(),
    makeDirectory: async () => refused(),
    move: async () => refused(),
    remove: async () => refused(),
    setMetadata: async () => refused(),
  };

  readonly status: Service['status'] = {
    follow: async () => (async function* () {})(),
  };

  readonly processes: Service['processes'] = {
    list: async () => [],
    input: async (target, data, eof) => {
      this.inputs.push({ target, data: Buffer.from(data).toString('latin1'), eof });
    },
    resize: async () => {},
    signal: async (_, name) => {
      if (!name.startsWith('SIG'))
        throw new ServiceError('VALIDATION_ERROR', 'signal: no such signal', { field: 'signal' });
    },
  };

  async started() {}

  async languages() {
    return [await this.language('python')];
  }

  async language(name: string) {
    if (name !== 'python' && name !== 'py')
      throw new ServiceError('NOT_FOUND', `Language not found: ${name}`);
    return {
      name: 'python',
      displayName: 'Python',
      version: '3.11.2',
      aliases: ['py'],
      dockerImage: null,
      runtimes: [],
    };
  }

  async capabilities() {
    return {
      supportedLanguages: ['python'],
      supports: new Set<never>(),
      limits: {
        maxTimeout: 300,
        maxMemory: 2048,
        maxConcurrency: 16,
        maxCodeLength: 100_000,
        maxMessageBytes: 32 * 1024 * 1024,
      },
    };
  }

  async health(): Promise<Health> {
    return {
      status: this.state,
      uptimeSeconds: 1,
      starting: false,
      stopping: false,
      runtimes: {
        Python: { available: true, version: '3.11.2', startupMs: 20, memoryMB: 4 },
        Bun: {
          available: false,
          reason: 'bubblewrap is not installed',
          cure: 'apt-get install bubblewrap',
          version: null,
        },
      },
      sessions: this.#sessions.size,
      running: 0,
      queued: 0,
      store: null,
    };
  }

  async drain() {}

  async close() {}

  /** Numbers one output event of a session, as a program that prints would. */
  print(sessionId: string, text: string): void {
    this.#sessions.get(sessionId)?.log.append('execution.output', {
      executionId: 'e',
      sessionId,
      commandId: 'c',
      stream: 'stdout',
      text,
    });
  }

  async #execute(
    id: string,
    command: Doing,
    call: Call,
    { stream = false, beforeStart }: ExecuteOptions = {},
  ): Promise<ExecuteReply> {
    await beforeStart?.(id);
    const { log } = this.#session(id, call);
    this.begun.push(command);
    await this.#unlessAborted(command.waitFor, call.signal);
    const commandId = command.id ?? 'ours';
    const origin = { executionId: commandId, sessionId: id, commandId };
    const tell = stream || command.background === true;
    if (tell) log.append('execution.started', origin);
    for (const text of command.print ?? lines(command.flood)) {
      if (tell) log.append('execution.output', { ...origin, stream: 'stdout', text });
      await log.ready();
    }
    const completedSeq = tell
      ? log.append('execution.completed', { ...origin, status: 'completed', exitCode: 0 })
      : null;
    const success = command.fail === undefined;
    return {
      result: {
        type: 'execute_code',
        id: commandId,
        success,
        result: success ? command : null,
        error: command.fail ?? null,
        durationMs: 1,
      },
      completedSeq: command.background ? null : completedSeq,
    };
  }

  async #run(execution: Execution, { waitFor, flood = 0, print = lines(flood) }: Doing): Promise<void> {
    const origin = { executionId: execution.status.executionId, sessionId: null, commandId: null };
    execution.status = { ...execution.status, status: 'running' };
    execution.log.append('execution.started', origin);
    if (waitFor) await this.#gate(waitFor).promise;
    for (const text of print) {
      execution.log.append('execution.output', { ...origin, stream: 'stdout', text });
      await execution.log.ready();
    }
    this.#end(execution, 'completed', print.join(''));
  }

  #end(execution: Execution, end: 'completed' | 'cancelled', stdout = ''): void {
    if (execution.status.completedAt) return;
    execution.status = {
      ...execution.status,
      status: end,
      stdout,
      exitCode: end === 'completed' ? 0 : null,
      outcome: end === 'completed' ? 'ok' : 'cancelled',
      completedAt: new Date().toISOString(),
    };
    const { executionId, exitCode } = execution.status;
    const origin = { executionId, sessionId: null, commandId: null };
    execution.log.append('execution.completed', { ...origin, status: end, exitCode });
    execution.log.end();
    execution.ended.resolve(execution.status);
  }

  #gate(name: string): PromiseWithResolvers<void> {
    const gate = this.#gates.get(name) ?? Promise.withResolvers<void>();
    this.#gates.set(name, gate);
    return gate;
  }

  async #unlessAborted(gate: string | undefined, signal: AbortSignal): Promise<void> {
    if (gate === undefined) return;
    const cancelled = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(new ServiceError('CANCELLED', 'Cancelled')));
    });
    cancelled.catch(() => {});
    await Promise.race([this.#gate(gate).promise, cancelled]);
  }

  #session(id: string, call: Call): Session {
    const session = this.#sessions.get(id);
    if (session && session.owner === call.owner) return session;
    throw new ServiceError('SESSION_NOT_FOUND', `Session not found: ${id}`);
  }

  #execution(id: string, call: Call): Execution {
    const execution = this.#executions.get(id);
    if (execution && execution.owner === call.owner) return execution;
    throw new ServiceError('NOT_FOUND', `Execution not found: ${id}`);
  }
}

function lines(count = 0): string[] {
  return Array.from({ length: count }, () => 'x'.repeat(60_000));
}

function info(sessionId: string, config: SessionInfo['config']): SessionInfo {
  const now = new Date().toISOString();
  return {
    sessionId,
    environmentId: 'sandbox',
    containerId: 'sandbox',
    runtimeType: 'Python',
    language: config.language,
    state: 'Active',
    createdAt: now,
    lastActivity: now,
    executionCount: 0,
    idleMinutes: 0,
    lifetimeMinutes: 0,
    config,
  };
}

function status(executionId: string): StatusResponse {
  return {
    executionId,
    status: 'pending',
    exitCode: null,
    stdout: '',
    stderr: '',
    durationMs: null,
    timeout: false,
    errorType: null,
    createdAt: new Date().toISOString(),
    startedAt: null,
    completedAt: null,
    language: 'python',
    runtimeType: 'Python',
    outcome: null,
    signal: null,
    truncated: false,
    stdoutBytes: 0,
    stderrBytes: 0,
    usage: null,
    compile: null,
    files: [],
    missingFiles: [],
  };
}

function refused(): never {
  throw new ServiceError('SESSION_NOT_FOUND', 'The double has no files');
}
