// biome-ignore-all lint/suspicious/noExplicitAny: tests look into a document
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { Browser } from '../support/browser.ts';
import { needs } from '../support/needs.ts';
import { http } from '../support/rest-client.ts';

/** The contracts as the service shows them, in a real browser too. */
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

needs('chromium')('Swagger UI tries an operation in a real browser', async () => {
  await using browser = await Browser.launch();
  await browser.goto(`${server.url}/docs`);
  const block = `document.querySelector('.opblock-post[id$="execution"], .opblock-post')`;
  await browser.until(`!!${block}`);
  const find = `[...document.querySelectorAll('.opblock-post')].find(b => b.querySelector('.opblock-summary-path')?.textContent.replace(/\\u200b/g, '') === '/api/execution')`;
  await browser.until(`!!${find}`);
  await browser.evaluate(`${find}.querySelector('.opblock-summary-control, .opblock-summary').click()`);
  await browser.until(`!!${find}.querySelector('.try-out__btn')`);
  await browser.evaluate(`${find}.querySelector('.try-out__btn').click()`);
  await browser.until(`!!${find}.querySelector('textarea')`);
  const request = JSON.stringify({ language: 'python', code: 'print("from the browser")' });
  await browser.evaluate(`{
    const area = ${find}.querySelector('textarea');
    const set = Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, 'value').set;
    set.call(area, ${JSON.stringify(request)});
    area.dispatchEvent(new Event('input', { bubbles: true }));
    area.dispatchEvent(new Event('change', { bubbles: true }));
  }`);
  await browser.evaluate(`${find}.querySelector('button.execute').click()`);
  const live = `${find}.querySelector('.live-responses-table .response')?.textContent`;
  const shown = await browser.until(`${live}?.includes('executionId') && ${live}`);
  expect(shown).toMatch(/200/);
  expect(browser.problems).toEqual([]);
});
