// biome-ignore-all lint/suspicious/noExplicitAny: tests look into a document
import { describe, expect, test } from 'vitest';
import { contracts } from '../../openapi/contracts.ts';
import { EXAMPLES, exampleReply } from '../../src/commands/examples.ts';
import { commands } from '../../src/commands/index.ts';
import { parseCommand } from '../../src/commands/parse.ts';
import { checkResult, checkShape } from '../support/contract.ts';

const made = await contracts();

describe.each(Object.keys(made))('the results of commands in %s', name => {
  const document = JSON.parse(made[name]!);
  const shapes = document.components.schemas;
  const nameOf = (type: string) => type.replace(/(?:^|_)(.)/g, (_, letter: string) => letter.toUpperCase());

  test('are told apart by type, each a shape with a name and an example', () => {
    const { anyOf, discriminator } = shapes.CommandResult;
    expect(anyOf).toHaveLength(commands.length);
    for (const { type } of commands) {
      const reply = discriminator.mapping[type].split('/').at(-1);
      expect(anyOf).toContainEqual({ $ref: discriminator.mapping[type] });
      expect(shapes[reply].properties.type.const).toBe(type);
      const result = `${nameOf(type)}Result`;
      expect(shapes[reply].properties.result.anyOf).toContainEqual({
        $ref: `#/components/schemas/${result}`,
      });
      expect(shapes[result].examples).toEqual([EXAMPLES[type].result]);
    }
  });

  test('and of runs describe every field', () => {
    const silent = Object.entries<any>(shapes).flatMap(([shape, { properties = {} }]) =>
      /Reply$|Result$|^(StatusResponse|Usage|CellError|MimeBundle|OutputFile)$/.test(shape)
        ? Object.entries<any>(properties)
            .filter(
              ([, { description, $ref, anyOf }]) =>
                !description && !$ref && !anyOf?.some((each: any) => each.$ref),
            )
            .map(([field]) => `${shape}.${field}`)
        : [],
    );
    expect(silent).toEqual([]);
    const { properties } = shapes.StatusResponse;
    expect(Object.keys(properties).filter(field => !properties[field].description)).toEqual([]);
  });

  test('have what a notebook shows', () => {
    expect(shapes.CellError.properties).toHaveProperty('traceback');
    for (const mime of ['text/plain', 'text/html', 'image/png'])
      expect(shapes.MimeBundle.properties[mime].type).toBe('string');
  });

  test('leave out of a request what has a default', () => {
    expect(made[name]).not.toMatch(/"default":/);
    expect(shapes.ExecuteCodeCommand.required).toEqual(['type', 'code']);
  });
});

test.each(commands.map(({ type }) => type))(
  'the example of %s is a command, and its answer a result',
  type => {
    expect(parseCommand({ type, ...EXAMPLES[type].fields })).toMatchObject({ type });
    checkResult('session.execute', exampleReply(type));
  },
);

test('what is in no contract is found', () => {
  const reply = exampleReply('write_file') as any;
  for (const wrong of [
    { ...reply, type: 'read_file' },
    { ...reply, more: 1 },
    { ...reply, result: { ...reply.result, bytes: 'x' } },
    { ...reply, result: { path: '/workspace/x' } },
    { ...reply, durationMs: 1.5 },
  ])
    expect(() => checkResult('session.execute', wrong)).toThrow(/the result of session.execute/);
  expect(() => checkShape('Nothing', {})).toThrow(/is in no contract/);
});

test('openrpc.json has a call and an answer for every command', () => {
  const { methods } = JSON.parse(made['openrpc.json']!);
  const { examples } = methods.find(({ name }: any) => name === 'session.execute');
  expect(examples.map(({ name }: any) => name)).toEqual(commands.map(({ type }) => type));
  for (const { name, params, result } of examples) {
    expect(params.map((each: any) => each.name)).toEqual(['sessionId', 'command']);
    expect(result.value.type).toBe(name);
  }
});
