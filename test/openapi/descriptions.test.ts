// biome-ignore-all lint/suspicious/noExplicitAny: tests look into a document
import { expect, test } from 'vitest';
import { contracts } from '../../openapi/contracts.ts';

/** Everything that a person reads in the contracts, or that a generator makes a comment of, says what it is. */
const made = await contracts();

test.each(Object.keys(made))('every property, parameter, response and shape in %s is described', name => {
  expect(silentIn(JSON.parse(made[name]!))).toEqual([]);
});

test('what is not described is found', () => {
  const text = { type: 'string' };
  const described = { ...text, description: 'One' };
  const Shape = {
    description: 'A shape',
    properties: {
      one: described,
      two: { ...text, description: 'default: 2' },
      three: { description: 'Three', items: { properties: { four: text } } },
      five: { anyOf: [{ type: 'null' }, text] },
    },
  };
  const parameters = [
    { name: 'six', schema: described, description: 'Six' },
    { name: 'seven', schema: text },
  ];
  const responses = { 200: { description: 'Default Response', content: {} } };
  expect(
    silentIn({
      components: { schemas: { Shape } },
      paths: { '/eight': { get: { parameters, responses } } },
      methods: [{ name: 'nine', params: [{ name: 'ten', schema: text }], result: { schema: Shape } }],
    }),
  ).toEqual([
    'Shape.two',
    'Shape.three[].four',
    'Shape.five',
    'get /eight: seven',
    'get /eight: 200',
    'nine: ten',
    'nine: result.two',
    'nine: result.three[].four',
    'nine: result.five',
  ]);
});

/** Where a contract lacks a description. */
function silentIn(document: any): string[] {
  const { schemas } = document.components;
  const notified = [...(document['x-notifications'] ?? []), ...(document['x-status-notifications'] ?? [])];
  return [
    ...Object.entries<any>(schemas).flatMap(([name, schema]) => silent(schema, name, document)),
    ...Object.entries<any>(document.paths ?? {}).flatMap(([path, operations]) =>
      Object.entries<any>(operations).flatMap(([verb, operation]) =>
        ofOperation(operation, `${verb} ${path}`, document),
      ),
    ),
    ...[...(document.methods ?? []), ...notified].flatMap(method => ofMethod(method, document)),
  ];
}

function ofOperation({ parameters = [], requestBody, responses }: any, at: string, document: any): string[] {
  const ofContent = ({ content = {} }: any, what: string) =>
    Object.values<any>(content).flatMap(({ schema }) => inside(schema, `${at}: ${what}`, document));
  return [
    ...parameters.filter((each: any) => !isSaid(each.description)).map(({ name }: any) => `${at}: ${name}`),
    ...ofContent(requestBody ?? {}, 'body'),
    ...Object.entries<any>(responses).flatMap(([status, response]) => [
      ...(isSaid(response.description) ? [] : [`${at}: ${status}`]),
      ...ofContent(response, status),
    ]),
  ];
}

function ofMethod({ name, params, result }: any, document: any): string[] {
  return [
    ...params.flatMap((each: any) => silent(each.schema, `${name}: ${each.name}`, document)),
    ...(result
      ? isSaid(result.description)
        ? inside(result.schema, `${name}: result`, document)
        : silent(result.schema, `${name}: result`, document)
      : []),
  ];
}

/** A schema and all in it. */
function silent(schema: any, at: string, document: any): string[] {
  const { description } = schema.$ref ? resolve(schema.$ref, document) : schema;
  return [...(isSaid(description) ? [] : [at]), ...inside(schema, at, document)];
}

/** What is in a schema, but not behind references: shapes with a name are looked at once. */
function inside(schema: any, at: string, document: any): string[] {
  const {
    properties = {},
    items,
    anyOf = [],
    oneOf = [],
    patternProperties = {},
    additionalProperties,
  } = schema;
  return [
    ...Object.entries<any>(properties).flatMap(([name, each]) => silent(each, `${at}.${name}`, document)),
    ...(items ? inside(items, `${at}[]`, document) : []),
    ...[...anyOf, ...oneOf].flatMap(each => inside(each, at, document)),
    ...Object.values(patternProperties).flatMap(each => inside(each, `${at}{}`, document)),
    ...(typeof additionalProperties === 'object' ? inside(additionalProperties, `${at}{}`, document) : []),
  ];
}

/** A default alone says nothing of what it is the default of; the generator's own words say nothing at all. */
function isSaid(description: string | undefined): boolean {
  return Boolean(description) && description !== 'Default Response' && !/^default: /.test(description!);
}

function resolve(reference: string, document: any): any {
  return reference
    .slice(2)
    .split('/')
    .reduce((at, part) => at[part], document);
}
