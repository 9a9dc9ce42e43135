// biome-ignore-all lint/suspicious/noExplicitAny: tests look into a document
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { Browser } from '../support/browser.ts';
import { needs } from '../support/needs.ts';
import { executionUntil, http } from '../support/rest-client.ts';

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

needs('chromium')('Swagger UI shows every operation and tries one in a real browser', async () => {
  await using browser = await Browser.launch();
  await browser.goto(`${server.url}/docs`);
  const { paths } = await committed('openapi.json');
  const operations = Object.entries<object>(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map(method => `${method.toUpperCase()} ${path}`),
  );
  const shown = `[...document.querySelectorAll('.opblock')].map(block =>
    [...block.querySelectorAll('.opblock-summary-method, .opblock-summary-path')]
      .map(part => part.textContent.replace(/\u200b/g, '').trim()).join(' '))`;
  await browser.until(`document.querySelectorAll('.opblock').length >= ${operations.length}`);
  expect((await browser.evaluate(shown)).sort()).toEqual(operations.sort());

  const block = `[...document.querySelectorAll('.opblock')][${shown}.indexOf('POST /api/execution')]`;
  const click = async (selector: string) => {
    await browser.until(`!!${block}.querySelector('${selector}')`);
    await browser.evaluate(`${block}.querySelector('${selector}').click()`);
  };
  await click('.opblock-summary-control');
  await click('.try-out__btn');
  await browser.until(`!!${block}.querySelector('textarea')`);
  const request = JSON.stringify({ language: 'python', code: 'print("from the browser")' });
  // The setter of the page's framework is gone around, as typing does; then it is told.
  await browser.evaluate(`{
    const area = ${block}.querySelector('textarea');
    Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, 'value').set.call(area, ${JSON.stringify(request)});
    area.dispatchEvent(new Event('input', { bubbles: true }));
    area.dispatchEvent(new Event('change', { bubbles: true }));
  }`);
  await click('button.execute');
  const response = `${block}.querySelector('.live-responses-table .response')`;
  const answer = await browser.until(
    `${response}?.textContent.includes('executionId') && ${response}.textContent`,
  );
  expect(answer).toMatch(/^200/);
  const id = /"executionId":\s*"([\w-]+)"/.exec(answer)?.[1];
  const end = await executionUntil(server.url, id!, execution => execution.completedAt !== null);
  expect(end).toMatchObject({ status: 'completed', stdout: 'from the browser\n' });
  expect(browser.problems).toEqual([]);
});
