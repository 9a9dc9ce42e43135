import type { Static, TSchema } from '@sinclair/typebox';
import { type TypeCheck, TypeCompiler } from '@sinclair/typebox/compiler';
import { type ValueError, ValueErrorType } from '@sinclair/typebox/value';
import { invalid } from '../errors.ts';
import { nearest } from '../nearest.ts';

/** A longer name is not repeated, characters. */
const MOST_LENGTH = 64;
/** Errors of a value that are looked at: a client can make as many as it likes. */
const MOST_LOOKED_AT = 20;
/** Of a free-form map. */
const NO_NAME = 'unknown field: names are of letters, digits and _, and begin with no digit';

/**
 * Makes a validator: it returns its argument as the schema's type or throws VALIDATION_ERROR naming the field, e.g.
 * `config.timeout: Expected number`. Nothing is coerced and no default is filled in. It is compiled when it is first used: a server has some
 * hundreds, most of which nobody needs.
 */
export function validator<T extends TSchema>(schema: T): (value: unknown, at?: string) => Static<T> {
  let compiled: TypeCheck<T> | undefined;
  return (value, at = '') => {
    compiled ??= TypeCompiler.Compile(schema);
    if (compiled.Check(value)) return value;
    const errors = compiled.Errors(value)[Symbol.iterator]();
    const first: ValueError | undefined = errors.next().value;
    const field = fieldPath(at, first?.path ?? '');
    if (first?.type === ValueErrorType.ObjectAdditionalProperties)
      throw invalid(field, first.schema.patternProperties ? NO_NAME : unknown(first.path, first.schema));
    if (first?.type === ValueErrorType.ObjectRequiredProperty) throw invalid(field, missing(first, errors));
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

const parentOf = (pointer: string) => pointer.slice(0, pointer.lastIndexOf('/'));
const nameIn = (pointer: string) => pointer.slice(pointer.lastIndexOf('/') + 1);

/** Names a field of the same object that nobody knows, if there is one: it may be what is missing, or be meant to lie in it. */
function missing({ path }: ValueError, errors: Iterator<ValueError>): string {
  for (let looked = 0; looked < MOST_LOOKED_AT; looked++) {
    const { value: next } = errors.next();
    if (next === undefined || parentOf(next.path) !== parentOf(path)) break;
    const name = nameIn(next.path);
    if (next.type === ValueErrorType.ObjectAdditionalProperties && name.length <= MOST_LENGTH)
      return `missing, and ${name} is an unknown field`;
  }
  return 'missing';
}

/** Says which field of the object, or of an object in it, is meant. */
function unknown(pointer: string, { properties = {} }: TSchema): string {
  const fields = Object.entries(properties as Record<string, TSchema>);
  const inner = fields.flatMap(([name, schema]) =>
    Object.keys(schema.properties ?? {}).map(key => ({ name, key })),
  );
  const word = nameIn(pointer);
  const meant = nearest(
    word,
    fields.map(([name]) => name),
  );
  if (meant !== null) return `unknown field; did you mean ${meant}?`;
  const within = nearest(
    word,
    inner.map(({ key }) => key),
  );
  const place = inner.find(({ key }) => key === within);
  return place ? `unknown field; did you mean ${place.name}.${place.key}?` : 'unknown field';
}

/** `/files/0/path` below `command` is `command.files[0].path`. */
function fieldPath(at: string, pointer: string): string {
  let path = at;
  for (const raw of pointer.split('/').slice(1)) {
    const part = raw.replaceAll('~1', '/').replaceAll('~0', '~');
    if (/^\d+$/.test(part)) path += `[${part}]`;
    else path += path ? `.${part}` : part;
  }
  return path || 'body';
}
