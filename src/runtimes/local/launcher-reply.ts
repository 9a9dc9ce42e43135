import { type TSchema, Type } from '@sinclair/typebox';
import { TypeCompiler } from '@sinclair/typebox/compiler';
import type { LauncherReply } from '../../launcher/protocol.ts';
import { nullable } from '../../schemas/shapes.ts';

const event = <T extends Record<string, TSchema>>(name: LauncherReply['event'], fields: T) =>
  Type.Object({ event: Type.Literal(name), ...fields });
const id = Type.String();
const GroupParents = Type.Object({
  version: Type.Union([Type.Literal(1), Type.Literal(2)]),
  memory: Type.String(),
  pids: Type.String(),
  cpu: Type.String(),
  cpuacct: Type.String(),
});

const Reply = TypeCompiler.Compile(
  Type.Union([
    event('ready', { forks: Type.Boolean(), groups: GroupParents }),
    event('unable', { reason: Type.String(), remedy: nullable(Type.String()) }),
    event('refused', { id, problem: Type.String() }),
    event('ended', { id, stderr: Type.String() }),
    event('limited', { id, done: Type.Boolean() }),
    event('placed', { id, leaf: nullable(Type.String()) }),
    event('stopped', { id }),
  ]),
);

/** Reads a line of the launcher's. @throws {Error} when it is no reply */
export function readReply(line: string): LauncherReply {
  const reply: unknown = JSON.parse(line);
  if (Reply.Check(reply)) return reply as LauncherReply;
  throw new Error('an event that there is not');
}
