// biome-ignore-all lint/suspicious/noExplicitAny: tests look into a document
import { beforeAll, describe, expect, test } from 'vitest';
import { contracts } from '../../openapi/contracts.ts';
import { commands } from '../../src/commands/index.ts';
import { ERRORS, type ErrorCode } from '../../src/errors.ts';

/** The OpenAPI document shows names and examples that a person or a generated client can use as they are. */
let document: any;
let operations: { name: string; operation: any }[];
beforeAll(async () => {
  document = JSON.parse((await contracts())['openapi.json']!);
  operations = Object.entries<any>(document.paths).flatMap(([path, methods]) =>
    Object.entries<any>(methods).map(([method, operation]) => ({ name: `${method} ${path}`, operation })),
  );
});

test('every operation has a name of its own', () => {
  const names = operations.map(({ operation }) => operation.operationId);
  for (const name of names) expect(name).toMatch(/^[a-z]+[A-Z]\w+$/);
  expect(new Set(names).size).toBe(names.length);
});

describe('an error', () => {
  const refusals = () =>
    operations.flatMap(({ name, operation }) =>
      Object.entries<any>(operation.responses)
        .filter(
          ([, { content }]) => content?.['application/json']?.schema.$ref === '#/components/schemas/Problem',
        )
        .map(([status, { content }]) => ({
          at: `${status} of ${name}`,
          status,
          content: content['application/json'],
        })),
    );

  test('has examples whose code has that status', () => {
    expect(refusals().length).toBeGreaterThan(50);
    for (const { at, status, content } of refusals()) {
      expect(Object.keys(content.examples).length, at).toBeGreaterThan(0);
      for (const [code, { value }] of Object.entries<any>(content.examples)) {
        expect(value.code, at).toBe(code);
        expect(String(ERRORS[code as ErrorCode].status), at).toBe(status);
        expect(value.message, at).toMatch(/\w/);
      }
    }
  });

  test('is not said to be of a session where there is none', () => {
    const ofExecution = document.paths['/api/execution/{id}'].get.responses[404].content['application/json'];
    expect(Object.keys(ofExecution.examples)).toEqual(['NOT_FOUND']);
  });
});

test('every command of a session has a shape with a name and a description, and an example with its own', () => {
  const body = document.paths['/api/session/{id}/execute'].post.requestBody.content['application/json'];
  const shapes = body.schema.properties.command.oneOf.map(({ $ref }: any) => $ref.split('/').at(-1));
  expect(shapes).toHaveLength(commands.length);
  for (const [i, { type, summary }] of commands.entries()) {
    const shape = document.components.schemas[shapes[i]];
    expect(shape.properties.type.const).toBe(type);
    expect(shape.description).toBe(`${type}: ${summary}`);
    expect(body.examples[type]).toMatchObject({
      summary: `${type}: ${summary}`,
      value: { command: { type } },
    });
  }
});
