import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, test as everywhere, expect } from 'vitest';
import { needs } from '../support/needs.ts';
import { numbersFrom } from '../support/numbers-from.ts';
import { http } from '../support/rest-client.ts';
import { RpcClient, RpcError } from '../support/rpc-client.ts';
import { type RunningServer, startServer } from '../support/start-server.ts';

/** Requests that nobody thought of: made from the documents that the service itself gives out. */
let server: RunningServer;
beforeAll(async () => {
  // Nothing listens there: names of packages that are made up bother no index.
  const index = { CODEBEAKER_INDEX_PYTHON: 'http://127.0.0.1:9/' };
  server = await startServer({
    env: { CODEBEAKER_RUNTIMES: 'Python,Bun', CODEBEAKER_MAX_SESSIONS: '20', ...index },
  });
});
afterAll(() => server.stop());

/** Of each operation and phase, and how long at the most; by hand with more. */
const EXAMPLES = Number(process.env.CODEBEAKER_FUZZ_EXAMPLES ?? 15);
const SECONDS = Math.ceil(EXAMPLES / 4);

/** No 500, and nothing that the document does not name. That bad data is refused, other tests look at closer. */
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
  'unsupported_method',
];

needs('schemathesis')(
  'no operation of the OpenAPI document answers with a 500, or outside of the document',
  { timeout: 300_000 },
  async () => {
    const directory = mkdtempSync(join(tmpdir(), 'codebeaker-fuzz-'));
    const run = spawn(
      'schemathesis',
      [
        ...['run', `${server.url}/docs/json`, '--checks', CHECKS.join(',')],
        ...['--max-examples', String(EXAMPLES), '--max-time', String(SECONDS), '--request-timeout', '30'],
        ...['--generation-database', 'none', '--no-color', '--continue-on-failure'],
      ],
      { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    let words = '';
    for (const stream of [run.stdout, run.stderr]) stream.on('data', chunk => (words += chunk));
    const [code] = await once(run, 'close');
    rmSync(directory, { recursive: true });
    expect(code, words).toBe(0);
    expect((await http(`${server.url}/health`)).body.status).toBe('healthy');
  },
);

describe('JSON-RPC', () => {
  /** By hand with more. */
  const ROUNDS = Number(process.env.CODEBEAKER_FUZZ_ROUNDS ?? 40);
  /** Enough for every branch; the same on every run unless told otherwise, so that a failure can be looked at again. */
  const random = numbersFrom(Number(process.env.CODEBEAKER_FUZZ_SEED ?? 20_240_229));
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;

  everywhere('no method answers with -32603, whatever its parameters are', { timeout: 300_000 }, async () => {
    const { methods } = (await http(`${server.url}/openrpc.json`)).body as { methods: Method[] };
    expect(methods.length).toBeGreaterThan(15);
    const client = await RpcClient.connect(server.wsUrl);
    const { sessionId } = await client.call('session.create', { language: 'python' });
    const known = { sessionId, executionId: crypto.randomUUID(), language: 'python' };
    let accepted = 0;
    for (let round = 0; round < ROUNDS; round++) {
      for (const method of methods.filter(({ name }) => name !== 'session.close')) {
        const params = Object.fromEntries(
          method.params.flatMap(({ name, required, schema }) => {
            if (!required && random() < 0.6) return [];
            if (name in known && random() < 0.8) return [[name, known[name as keyof typeof known]]];
            return [[name, random() < 0.8 ? fitting(schema, 0) : pick(NONSENSE)]];
          }),
        );
        // Nothing may take long, as far as a valid request can say so.
        if ('timeout' in params && typeof params.timeout === 'number') params.timeout = 1;
        const answer = await client.call(method.name, params).catch((error: unknown) => error);
        if (!(answer instanceof RpcError)) accepted++;
        else
          expect(answer.code, `${method.name} ${JSON.stringify(params)} ${answer.message}`).not.toBe(-32603);
      }
      // What was made is not kept.
      const { sessions } = await client.call('session.list');
      for (const session of sessions) {
        if (session.sessionId !== sessionId)
          await client.call('session.close', { sessionId: session.sessionId }).catch(() => {});
      }
    }
    expect(accepted).toBeGreaterThan(ROUNDS * 3);
    await client.close();
    expect(server.log()).not.toContain('failed');
  });

  /** A value of a JSON schema, or nearly. */
  function fitting(schema: Schema | undefined, depth: number): unknown {
    if (!schema || depth > 4) return pick(NONSENSE);
    if (schema.const !== undefined) return schema.const;
    if (schema.enum) return pick(schema.enum);
    const choices = schema.anyOf ?? schema.oneOf;
    if (choices) return fitting(pick(choices), depth + 1);
    switch (schema.type) {
      case 'string':
        return pick(TEXTS);
      case 'integer':
      case 'number':
        return pick([0, 1, 2, schema.minimum ?? -1, schema.maximum ?? 1e6, 0.5]);
      case 'boolean':
        return random() < 0.5;
      case 'null':
        return null;
      case 'array':
        return Array.from({ length: Math.floor(random() * 3) }, () => fitting(schema.items, depth + 1));
      default: {
        const fields = Object.entries(schema.properties ?? {});
        const needed = new Set(schema.required ?? []);
        return Object.fromEntries(
          fields
            .filter(([name]) => needed.has(name) || random() < 0.3)
            .map(([name, field]) => [name, fitting(field, depth + 1)]),
        );
      }
    }
  }
});

interface Method {
  readonly name: string;
  readonly params: readonly { name: string; required?: boolean; schema?: Schema }[];
}

interface Schema {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
}

const TEXTS = [
  ...[
    '',
    'a',
    'python',
    'print(1)',
    'main.py',
    '/workspace/a',
    '../../etc/passwd',
    'a/../../b',
    '/proc/1/mem',
  ],
  ...[
    'a\0b',
    '\u2028',
    '\ud800',
    '\u001b[31m',
    '漢',
    'x'.repeat(5000),
    '-rf',
    '*',
    '[',
    '{{}}',
    '%s',
    '__proto__',
  ],
];
const NONSENSE: readonly unknown[] = [
  ...[null, true, 0, -1, 1e308, -0.5, 2 ** 53, '', 'x', [], {}, [[]], { a: 1 }],
  ...['\ud800', { __proto__: null, toString: 1 }, Array(100).fill(0)],
];
