import { type Static, Type } from '@sinclair/typebox';
import { invalid } from '../../errors.ts';
import { Environment } from '../../schemas/shapes.ts';
import { validator } from '../../schemas/validate.ts';
import type { DebuggerSpec } from '../../toolchains/debugger.ts';
import { fieldsOf } from './message.ts';

/** What `launch` takes on every language. */
const Launch = Type.Object({
  program: Type.Optional(Type.String()),
  args: Type.Optional(Type.Array(Type.String(), { maxItems: 10_000 })),
  cwd: Type.Optional(Type.String()),
  env: Type.Optional(Environment),
  stopOnEntry: Type.Optional(Type.Boolean()),
  noDebug: Type.Optional(Type.Boolean()),
});
const check = validator(Launch);

/**
 * The arguments of `launch` as an adapter takes them. Editors send a good deal more, of their own: it is left out. `place` makes a
 * client's path one of the sandbox's.
 * @throws {ServiceError} VALIDATION_ERROR naming the field
 */
export function launchArguments(
  asked: unknown,
  { ownArguments, fixedArguments }: DebuggerSpec,
  place: (path: string | undefined, field: string) => string,
): Record<string, unknown> {
  const all = fieldsOf(asked);
  const common = check(pick(all, Object.keys(Launch.properties))) as Static<typeof Launch>;
  const own = pick(all, ownArguments);
  if (common.program === undefined && own.module === undefined)
    throw invalid('program', 'missing: the file to be debugged, in /workspace');
  return {
    ...common,
    ...own,
    ...(common.program !== undefined && { program: place(common.program, 'program') }),
    cwd: place(common.cwd, 'cwd'),
    ...fixedArguments,
  };
}

/** Editors fill in what nobody has set with null. */
function pick(from: Readonly<Record<string, unknown>>, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.filter(name => from[name] != null).map(name => [name, from[name]]));
}
