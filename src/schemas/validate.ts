import type { Static, TSchema } from '@sinclair/typebox';
import { TypeCompiler } from '@sinclair/typebox/compiler';
import { ValueErrorType } from '@sinclair/typebox/value';
import { invalid } from '../errors.ts';
import { nearest } from '../nearest.ts';

/** Of a free-form map. */
const NO_NAME = 'unknown field: names are of letters, digits and _, and begin with no digit';

/**
 * Makes a validator: it returns its argument as the schema's type or throws VALIDATION_ERROR naming the field, e.g.
 * `config.timeout: Expected number`. Nothing is coerced and no default is filled in.
 */
export function validator<T extends TSchema>(schema: T): (value: unknown, at?: string) => Static<T> {
  const compiled = TypeCompiler.Compile(schema);
  return (value, at = '') => {
    if (compiled.Check(value)) return value;
    const first = compiled.Errors(value).First();
    const field = fieldPath(at, first?.path ?? '');
    if (first?.type === ValueErrorType.ObjectAdditionalProperties)
      throw invalid(field, first.schema.patternProperties ? NO_NAME : unknown(first.path, first.schema));
    if (first?.type === ValueErrorType.ObjectRequiredProperty) throw invalid(field, 'missing');
    // A pattern is for machines.
    const { description } = first?.schema ?? {};
    if (first?.type === ValueErrorType.StringPattern && description)
      throw invalid(
        field,
        `must be ${description.replace(/^[A-Z](?=[a-z ])/, (first: string) => first.toLowerCase())}`,
      );
    const words: unknown[] | undefined = first?.schema.enum;
    throw invalid(field, words ? `must be one of ${words.join(', ')}` : (first?.message ?? 'invalid'));
  };
}

function unknown(pointer: string, { properties = {} }: TSchema): string {
  const meant = nearest(pointer.slice(pointer.lastIndexOf('/') + 1), Object.keys(properties));
  return meant === null ? 'unknown field' : `unknown field; did you mean ${meant}?`;
}

/** `/files/0/path` below `command` is `command.files[0].path`. */
export function fieldPath(at: string, pointer: string): string {
  let path = at;
  for (const raw of pointer.split('/').slice(1)) {
    const part = raw.replaceAll('~1', '/').replaceAll('~0', '~');
    if (/^\d+$/.test(part)) path += `[${part}]`;
    else path += path ? `.${part}` : part;
  }
  return path || 'body';
}
