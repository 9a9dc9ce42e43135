import type { ServiceError } from '../../src/errors.ts';

/** A request that Piston would refuse, in the words its clients know (api/src/api/v2.js). Answered by 400 `{ message }`. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
}

/** Our fields that mean another name in a request of Piston, longest first. */
const FIELDS: readonly (readonly [string, string])[] = [
  ['config.compileTimeout', 'compile_timeout'],
  ['config.memoryLimit', 'run_memory_limit'],
  ['config.timeout', 'run_timeout'],
  ['config.cpuTime', 'run_cpu_time'],
];

/** What the service refused, with the field's name as the client wrote it. */
export function inTheirWords({ message, field }: ServiceError): string {
  const name = FIELDS.find(([ours]) => field === ours);
  if (name && message.startsWith(name[0])) return name[1] + message.slice(name[0].length);
  // The first file is our code; the others are our files.
  return message
    .replace(/^files\[(\d+)\]/, (_, i) => `files[${Number(i) + 1}]`)
    .replace(/^code:/, 'files[0].content:');
}
