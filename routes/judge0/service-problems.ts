import { ServiceError } from '../../src/errors.ts';
import { Invalid, Refusal } from './refusal.ts';

/** Our fields, and what they are in a submission; longest first. */
const FIELDS: readonly (readonly [string, string])[] = [
  ['config.disableNetwork', 'enable_network'],
  ['config.memoryLimit', 'memory_limit'],
  ['config.network', 'enable_network'],
  ['config.timeout', 'wall_time_limit'],
  ['config.cpuTime', 'cpu_time_limit'],
  ['code', 'source_code'],
  ['args', 'command_line_arguments'],
  ['stdin', 'stdin'],
];

/** What the service refused, as Judge0 says it; any other error as it is. */
export function problemsOf(error: unknown, languageId: number): unknown {
  if (!(error instanceof ServiceError)) return error;
  const { code, field = '', message } = error;
  if (code === 'QUEUE_FULL') return new Refusal('queue is full', 503);
  if (code === 'UNSUPPORTED_LANGUAGE')
    return new Invalid({ language_id: [`language with id ${languageId} doesn't exist`] });
  if (code === 'RUNTIME_UNAVAILABLE') return new Invalid({ language_id: [message] });
  const named = FIELDS.find(([ours]) => field === ours || field.startsWith(`${ours}[`));
  if (code === 'NOT_SUPPORTED' && named?.[1] === 'enable_network')
    return new Invalid({ enable_network: ['enabling network is not allowed'] });
  if ((code !== 'VALIDATION_ERROR' && code !== 'NOT_SUPPORTED') || !named) return error;
  return new Invalid({
    [named[1]]: [message.startsWith(`${field}: `) ? message.slice(field.length + 2) : message],
  });
}
