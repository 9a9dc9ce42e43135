// biome-ignore-all lint/suspicious/noExplicitAny: JSON Schema
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

type Schema = any;
const document = JSON.parse(readFileSync(join(import.meta.dirname, '../../openapi/openrpc.json'), 'utf8'));
const results = new Map<string, Schema>(
  document.methods.map((method: any) => [method.name, method.result.schema]),
);
const notifications = new Map<string, Schema>(
  document['x-notifications'].map(({ name, params }: any) => [
    name,
    {
      type: 'object',
      properties: Object.fromEntries(params.map((each: any) => [each.name, each.schema])),
      required: params.filter((each: any) => each.required).map((each: any) => each.name),
    },
  ]),
);

/** @throws when what a service sent is not what the contract says of it, a field that it does not name included */
export function checkResult(method: string, result: unknown): void {
  check(`the result of ${method}`, results.get(method), result);
}

/** As {@link checkResult}. */
export function checkNotification(method: string, params: unknown): void {
  check(`the notification ${method}`, notifications.get(method), params);
}

/** As {@link checkResult}, for a shape that the contract has by name. */
export function checkShape(name: string, value: unknown): void {
  check(name, document.components.schemas[name], value);
}

function check(what: string, schema: Schema, value: unknown): void {
  const problem = schema === undefined ? 'is in no contract' : misfit(schema, value);
  if (problem) throw new Error(`${what} ${problem}: ${JSON.stringify(value)?.slice(0, 1000)}`);
}

/** What of a value does not fit: the part of JSON Schema that the contracts use. Null when all of it does. */
function misfit(schema: Schema, value: any, at = ''): string | null {
  if (schema.$ref) return misfit(resolve(schema.$ref), value, at);
  const alternatives: Schema[] | undefined = schema.anyOf ?? schema.oneOf;
  if (alternatives) {
    const problems = alternatives.map(each => misfit(each, value, at));
    return problems.includes(null)
      ? null
      : `${at || '/'} fits none of ${alternatives.length}: ${problems.at(0)}`;
  }
  if ('const' in schema && schema.const !== value) return `${at} must be ${schema.const}`;
  if (schema.enum && !schema.enum.includes(value)) return `${at} must be one of ${schema.enum}`;
  if (schema.type && !isOf(schema.type, value)) return `${at} must be ${schema.type}`;
  if (schema.type === 'array')
    return first(value.map((each: any, i: number) => misfit(schema.items, each, `${at}/${i}`)));
  return schema.type === 'object' ? misfitOfObject(schema, value, at) : null;
}

function misfitOfObject(schema: Schema, value: any, at: string): string | null {
  const { properties = {}, required = [], additionalProperties, patternProperties } = schema;
  for (const name of required) if (!Object.hasOwn(value, name)) return `${at}/${name} is missing`;
  const open =
    additionalProperties === true || patternProperties !== undefined || Object.keys(properties).length === 0;
  return first(
    Object.entries(value).map(([name, inner]) => {
      if (Object.hasOwn(properties, name)) return misfit(properties[name], inner, `${at}/${name}`);
      return open ? null : `${at}/${name} is in no contract`;
    }),
  );
}

const first = (problems: (string | null)[]) => problems.find(each => each !== null) ?? null;

function isOf(type: string, value: unknown): boolean {
  if (type === 'null') return value === null;
  if (type === 'array') return Array.isArray(value);
  if (type === 'integer') return Number.isInteger(value);
  if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value);
  // The names of JSON Schema are those of typeof.
  return typeof value === type;
}

function resolve(reference: string): Schema {
  return reference
    .slice(2)
    .split('/')
    .reduce((at, part) => at[part], document);
}
