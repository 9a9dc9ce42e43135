import type { TSchema } from '@sinclair/typebox';
import { CellError, MimeBundle } from './cell.ts';
import { CompileResult, ExecuteRequest, ExecuteResponse, OutputFile, StatusResponse } from './execution.ts';
import { LanguageInfo } from './language.ts';
import { Usage } from './outcome.ts';
import { PendingCommand } from './pending-command.ts';
import { Problem } from './problem.ts';
import { SessionClosed, SessionConfig, SessionInfo, SessionList } from './session.ts';

/** Shapes that the contracts list once, by name, and refer to everywhere else. */
const NAMED: Record<string, TSchema> = {
  CellError,
  CompileResult,
  ExecuteRequest,
  ExecuteResponse,
  LanguageInfo,
  MimeBundle,
  OutputFile,
  PendingCommand,
  Problem,
  SessionClosed,
  SessionConfig,
  SessionInfo,
  SessionList,
  StatusResponse,
  Usage,
};
for (const [name, schema] of Object.entries(NAMED)) schema.title = name;

/** Has the contracts list one more shape by name. */
export function named<T extends TSchema>(name: string, schema: T): T {
  NAMED[name] = Object.assign(schema, { title: name });
  return schema;
}

type Json = Record<string, unknown>;

/** A copy of a contract in which every named shape is a reference, with the shapes themselves in its components. */
export function withNamedShapes(document: Json): Json {
  const components = (document.components ?? {}) as Json;
  const schemas = Object.fromEntries(
    Object.entries(NAMED).map(([name, schema]) => [name, mapValues(toJson(schema))]),
  );
  return { ...(mapValues(document) as Json), components: { ...components, schemas } };
}

function refer(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(refer);
  if (typeof value !== 'object' || value === null) return value;
  const { title } = value as Json;
  if (typeof title === 'string' && Object.hasOwn(NAMED, title))
    return { $ref: `#/components/schemas/${title}` };
  return mapValues(defaultInWords(value as Json));
}

/**
 * Says a field's default in its description. As a keyword it has generators of types take the field for one that is always
 * there, and so for one that a request must have.
 */
function defaultInWords(schema: Json): Json {
  const { default: value, ...rest } = schema;
  if (value === undefined || typeof rest.type !== 'string') return schema;
  const words = `default: ${typeof value === 'string' ? value : JSON.stringify(value)}`;
  const { description } = rest;
  return { ...rest, description: typeof description === 'string' ? `${description}; ${words}` : words };
}

function mapValues(value: object): unknown {
  if (Array.isArray(value)) return value.map(refer);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, refer(inner)]));
}

/** Without TypeBox's symbols. */
function toJson(schema: TSchema): Json {
  return JSON.parse(JSON.stringify(schema)) as Json;
}
