import { Ajv } from 'ajv';
import type { TestSession } from './session.ts';

/** The protocol's own schema, as it comes with debugpy: its adapter, which runs, shows where that lies. */
const ADAPTER = `cat /proc/[0-9]*/cmdline | tr '\\0' '\\n' | grep -m 1 '^/packages/.*/debugpy/adapter$'`;
const SCHEMA = '_vendored/pydevd/_pydevd_bundle/_debug_adapter/debugProtocol.json';

// biome-ignore lint/suspicious/noExplicitAny: whatever a debugger said
type Message = any;

/** What each message of a list breaks of the protocol, by a session of Python in which a debugger runs. */
export async function dapSchema(
  session: TestSession,
): Promise<(messages: readonly Message[]) => readonly string[]> {
  const { stdout } = await session.shell('sh', ['-c', `cat "$(${ADAPTER})/../${SCHEMA}"`]);
  const { definitions } = JSON.parse(stdout);
  // Of a draft that ajv no longer knows by its name, and with words of its own.
  const ajv = new Ajv({ strict: false, schemas: [{ $id: 'dap', definitions }] });
  const faults = (message: Message) => {
    const name = nameOf(message);
    if (!Object.hasOwn(definitions, name)) return [`${name} is unknown`];
    const check = ajv.getSchema(`dap#/definitions/${name}`)!;
    return check(message) ? [] : [`${name}: ${ajv.errorsText(check.errors)} in ${JSON.stringify(message)}`];
  };
  return messages => messages.flatMap(faults);
}

/** Of its definition. */
function nameOf({ type, event, command, success }: Message): string {
  const pascal = (word: string) => word.charAt(0).toUpperCase() + word.slice(1);
  if (type === 'event') return `${pascal(event)}Event`;
  if (type === 'request') return `${pascal(command)}Request`;
  return success ? `${pascal(command)}Response` : 'ErrorResponse';
}
