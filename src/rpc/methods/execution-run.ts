import { type Static, Type } from '@sinclair/typebox';
import { cancelled, invalid } from '../../errors.ts';
import { ExecuteRequest, ExecutionConfig, StatusResponse } from '../../schemas/execution.ts';
import { renameOldNames } from '../../schemas/old-names.ts';
import { closed } from '../../schemas/shapes.ts';
import type { Call } from '../../service/call.ts';
import type { Executions } from '../../service/service.ts';
import { defineMethod, type RequestContext } from '../method.ts';
import { wantsStream } from '../stream-wish.ts';
import { checkExecution } from '../used-features.ts';

const params = closed({
  ...ExecuteRequest.properties,
  stream: Type.Optional(
    Type.Boolean({ default: false, description: 'Send notifications; needs a WebSocket' }),
  ),
});
/** Old clients may send the fields of `config` beside the others. */
const flat = closed({ ...params.properties, ...ExecutionConfig.properties });

export const executionRun = defineMethod({
  name: 'execution.run',
  summary: 'Runs a program and answers when it has ended; the fields of config may stand beside the others',
  params,
  result: StatusResponse,
  endsWithConnection: true,
  adapt: nestConfig,
  async run({ stream, ...request }: Static<typeof params>, context) {
    const { service, call, connection } = context;
    checkExecution(request, connection);
    const streaming = wantsStream(stream, context);
    const { executionId } = await service.executions.start(request, call, {
      interactive: streaming,
      live: streaming,
      awaited: !streaming,
    });
    return endingWith(service.executions, executionId, call, async () => {
      if (streaming) await sendEvents(executionId, context);
      return service.executions.wait(executionId, call);
    });
  },
});

/** `{ timeout: 5 }` means `{ config: { timeout: 5 } }`. */
function nestConfig(fields: Record<string, unknown>): void {
  renameOldNames(flat, fields);
  for (const name of Object.keys(ExecutionConfig.properties)) {
    if (!Object.hasOwn(fields, name)) continue;
    fields.config ??= {};
    const config = fields.config;
    if (typeof config !== 'object' || config === null) throw invalid('config', 'Expected object');
    if (Object.hasOwn(config, name)) throw invalid(name, `given twice, also as config.${name}`);
    (config as Record<string, unknown>)[name] = fields[name];
    delete fields[name];
  }
}

/** Cancels the run when the client cancels or goes away, and waits for its end before it answers. */
async function endingWith<T>(
  executions: Executions,
  id: string,
  call: Call,
  follow: () => Promise<T>,
): Promise<T> {
  try {
    const result = await follow();
    if (!call.signal.aborted) return result;
  } catch (error) {
    if (!call.signal.aborted) throw error;
  }
  await executions.cancel(id, { ...call, signal: new AbortController().signal });
  throw cancelled();
}

async function sendEvents(executionId: string, { service, call, connection }: RequestContext): Promise<void> {
  for await (const event of await service.executions.events(executionId, call, 0)) {
    await connection.notify(event);
  }
}
