// biome-ignore-all lint/suspicious/noExplicitAny: tests look into a document
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { http } from '../support/rest-client.ts';

/** The contracts as the service shows them; docs-with-keys.test.ts opens them in a real browser. */
const server = inject('server');
const committed = async (name: string) =>
  JSON.parse(await readFile(join(import.meta.dirname, '../../openapi', name), 'utf8'));

test('the service shows the contracts that are committed', async () => {
  const { body } = await http(`${server.url}/docs/json`);
  expect(body).toEqual(await committed('openapi.json'));
  expect(body.openapi).toMatch(/^3\.1/);
  expect((await http(`${server.url}/openrpc.json`)).body).toEqual(await committed('openrpc.json'));
  expect((await http(`${server.url}/docs/yaml`)).body).toContain('openapi:');
});

test('the OpenAPI document has every operation of the contract, each with a summary and its errors', async () => {
  const { body } = await http(`${server.url}/docs/json`);
  const operations = Object.entries<any>(body.paths).flatMap(([path, methods]) =>
    Object.entries<any>(methods).map(([method, operation]) => ({ name: `${method} ${path}`, operation })),
  );
  expect(operations.map(o => o.name)).toEqual(
    expect.arrayContaining([
      'post /api/execution',
      'get /api/execution/{id}',
      'get /api/execution/{id}/events',
      'delete /api/execution/{id}',
      'get /api/language',
      'get /api/language/{name}',
      'post /api/session',
      'get /api/session',
      'get /api/session/{id}',
      'post /api/session/{id}/execute',
      'delete /api/session/{id}',
      'post /api/jsonrpc',
      'get /health',
    ]),
  );
  for (const { name, operation } of operations) expect(operation.summary, name).toBeTruthy();
});
