import type { CommandRequest } from '../../src/commands/index.ts';
import { USER_HOME } from '../../src/sandbox.ts';
import type { Call } from '../../src/service/call.ts';
import type { CellSurroundings, EventStream, Service } from '../../src/service/service.ts';
import type { Context } from './contexts.ts';
import type { Sandbox } from './sandboxes.ts';

/** Cells of sandboxes, as the code interpreter of E2B runs them. */
export class Cells {
  readonly #service: Service;

  constructor(service: Service) {
    this.#service = service;
  }

  /**
   * Begins a cell, which is interrupted when its client has gone (`reader.signal`), and resolves to what comes of it. Their clients have
   * a timeout of their own; here it may take as long as any.
   */
  async begin(
    sandbox: Sandbox,
    { context, code, environment }: { context: Context; code: string; environment: Environment },
    reader: Call,
  ): Promise<EventStream> {
    const { maxTimeout: timeout } = (await this.#service.capabilities()).limits;
    const { id, language, cwd } = context;
    // No cell is empty, for the service.
    const params = { code: code || '\n', language, context: id, timeout };
    const cell = {
      directory: cwd,
      structured: true,
      ...(Object.keys(environment).length > 0 && { environment }),
    };
    return this.#begin(sandbox, { type: 'execute_code', id: undefined, params, at: '' }, cell, reader);
  }

  /** The same of a cell of the shell, which is a program of its own. */
  async beginShell(
    sandbox: Sandbox,
    { code, environment }: { code: string; environment: Environment },
    reader: Call,
  ): Promise<EventStream> {
    const { maxTimeout: timeout } = (await this.#service.capabilities()).limits;
    const params = {
      commandName: '/bin/bash',
      args: ['-c', code],
      environment,
      workingDirectory: USER_HOME,
      timeout,
    };
    return this.#begin(sandbox, { type: 'execute_shell', id: undefined, params, at: '' }, {}, reader);
  }

  async #begin(
    { id }: Sandbox,
    command: CommandRequest,
    cell: CellSurroundings,
    reader: Call,
  ): Promise<EventStream> {
    const { sessions } = this.#service;
    const begun = Promise.withResolvers<EventStream | null>();
    const onTaken = ({ executionId }: { executionId: string }) =>
      begun.resolve(sessions.commandEvents(id, executionId, reader, 0));
    const reply = sessions.execute(id, command, reader, { apart: true, cell, onTaken });
    // Of one that has begun, its events tell.
    reply.catch(begun.reject);
    const events = await begun.promise;
    if (!events) throw new Error('a cell had ended before it was followed');
    return events;
  }
}

type Environment = Readonly<Record<string, string>>;
