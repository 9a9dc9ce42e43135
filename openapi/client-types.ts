/** A part of the contract, as openrpc.json has it. */
interface Shape {
  readonly $ref?: string;
  readonly anyOf?: readonly Shape[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly type?: string;
  readonly items?: Shape;
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly required?: readonly string[];
  readonly patternProperties?: Readonly<Record<string, Shape>>;
  readonly additionalProperties?: boolean | Shape;
  readonly description?: string;
}
interface Param {
  readonly name: string;
  readonly required?: boolean;
  readonly schema: Shape;
}
interface Contract {
  readonly methods: readonly { readonly name: string; readonly result: { readonly schema: Shape } }[];
  readonly components: { readonly schemas: Readonly<Record<string, Shape>> };
  readonly 'x-notifications': readonly { readonly name: string; readonly params: readonly Param[] }[];
}

/** What our client takes from the contract; what these refer to comes along. */
const ROOTS = [
  'ExecuteRequest',
  'StatusResponse',
  'SessionConfig',
  'SessionInfo',
  'SessionList',
  'LanguageInfo',
  'Problem',
];
const HEAD =
  '// Written by `npm run contracts` from the schemas in src/schemas and src/commands: change those.\n';

/** The types of src/client/wire.ts: the shapes of the contract, commands by their type and events by theirs. */
export function clientTypes(contract: Contract): string {
  const { schemas } = contract.components;
  const types = Object.keys(schemas).flatMap(name => {
    const type = name.endsWith('Command') && schemas[name]?.properties?.type?.const;
    return type ? [[type, name.slice(0, -'Command'.length)] as const] : [];
  });
  const events = contract['x-notifications'].filter(({ name }) => !/^(fs|port)\./.test(name));
  const eventShapes = events.map(
    ({ name, params }) => [name.replace('execution.', ''), shapeOf(params)] as const,
  );
  const wanted = new Set<string>();
  const want = (name: string): void => {
    if (wanted.has(name)) return;
    wanted.add(name);
    for (const inner of refersTo(schemas[name]!)) want(inner);
  };
  for (const name of ROOTS) want(name);
  for (const [, name] of types) for (const end of ['Command', 'Reply']) want(name + end);
  for (const [, shape] of eventShapes) for (const name of refersTo(shape)) want(name);
  const shapes = [...wanted].sort().map(name => declared(name, schemas[name]!));
  const resultOf = (method: string) => contract.methods.find(({ name }) => name === method)!.result.schema;
  const paramsOf = (notification: string) =>
    shapeOf(contract['x-notifications'].find(({ name }) => name === notification)!.params);
  const alone = [
    declared('ExposedPort', resultOf('session.expose')),
    declared('ListeningPort', {
      description: 'What listens on TCP in a session',
      ...resultOf('session.ports').properties!.ports!.items!,
    }),
    declared('FileEvent', { description: 'What became of a file', ...paramsOf('fs.changed') }),
  ];
  const byType = types.map(
    ([type, name]) => `  ${type}: { command: ${name}Command; result: NonNullable<${name}Reply['result']> };`,
  );
  const byEvent = eventShapes.map(([name, shape]) => `  '${name}': ${typed(shape, '  ')};`);
  return [
    HEAD,
    ...shapes,
    ...alone,
    `/** What a session can be asked for, and what comes of it, by its type. */\nexport interface Commands {\n${byType.join('\n')}\n}\n`,
    `/** What runs tell, by its name. */\nexport interface EventsByType {\n${byEvent.join('\n')}\n}\n`,
  ].join('\n');
}

const shapeOf = (params: readonly Param[]): Shape => ({
  type: 'object',
  properties: Object.fromEntries(params.map(({ name, schema }) => [name, schema])),
  required: params.filter(({ required }) => required).map(({ name }) => name),
});

const nameIn = (ref: string) => ref.slice(ref.lastIndexOf('/') + 1);

function refersTo(shape: unknown): string[] {
  if (typeof shape !== 'object' || shape === null) return [];
  const { $ref } = shape as Shape;
  if (typeof $ref === 'string') return [nameIn($ref)];
  return Object.values(shape).flatMap(refersTo);
}

function declared(name: string, shape: Shape): string {
  const comment = shape.description ? commentOf(shape.description, '') : '';
  const text = typed(shape, '');
  return text.startsWith('{')
    ? `${comment}export interface ${name} ${text}\n`
    : `${comment}export type ${name} = ${text};\n`;
}

const commentOf = (text: string, indent: string) => `${indent}/** ${text.replaceAll('*/', '*\\/')} */\n`;

/** A shape as TypeScript writes its type. */
function typed(shape: Shape, indent: string): string {
  if (shape.$ref) return nameIn(shape.$ref);
  if (shape.anyOf) return shape.anyOf.map(each => typed(each, indent)).join(' | ');
  if (shape.enum) return shape.enum.map(each => quoted(each)).join(' | ');
  if (shape.const !== undefined) return quoted(shape.const);
  if (shape.type === 'array') return `(${typed(shape.items ?? {}, indent)})[]`;
  if (shape.type === 'integer') return 'number';
  if (shape.type === 'object') return objectOf(shape, indent);
  return shape.type ?? 'unknown';
}

function objectOf(
  { properties = {}, required = [], patternProperties, additionalProperties }: Shape,
  indent: string,
): string {
  const inner = `${indent}  `;
  const values = Object.values(patternProperties ?? {})[0];
  if (values) return `Record<string, ${typed(values, indent)}>`;
  const lines = Object.entries(properties).map(([name, shape]) => {
    const comment = shape.description ? commentOf(shape.description, inner) : '';
    const key = /^\w+$/.test(name) ? name : quoted(name);
    return `${comment}${inner}${key}${required.includes(name) ? '' : '?'}: ${typed(shape, inner)};\n`;
  });
  if (additionalProperties === true) lines.push(`${inner}[name: string]: unknown;\n`);
  return `{\n${lines.join('')}${indent}}`;
}

const quoted = (value: unknown) => (typeof value === 'string' ? `'${value}'` : JSON.stringify(value));
