import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Browser } from '../support/browser.ts';
import { chromium, needs } from '../support/needs.ts';
import { PageDriver } from '../support/page-driver.ts';
import { http } from '../support/rest-client.ts';
import { type RunningServer, startServer } from '../support/start-server.ts';

/** The documentation and the page at `/` as a newcomer opens them where keys are set: neither needs one, what they call does. */
const KEY = 'key-of-ann-0001';
/** One that no URL could hold as it is. */
const PAGE_KEY = 'key/of+ann?=0001';
let server: RunningServer;
let page: PageDriver | undefined;
beforeAll(async () => {
  [server, page] = await Promise.all([
    startServer({ env: { CODEBEAKER_API_KEYS: `${KEY},${PAGE_KEY}` } }),
    chromium() === undefined ? undefined : PageDriver.launch(),
  ]);
});
afterAll(async () => {
  await page?.[Symbol.asyncDispose]();
  await server.stop();
});

const offered = (key: string) => `codebeaker, codebeaker.key.${Buffer.from(key).toString('base64url')}`;
const upgrade = (protocol: string) => {
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = new WebSocket(server.wsUrl, protocol.split(', '));
  socket.onopen = () => resolve(`open, ${socket.protocol}`);
  socket.onerror = () => resolve('refused');
  return promise.finally(() => socket.close());
};

needs()('a WebSocket’s subprotocol is a key only there and whole', async () => {
  expect(await upgrade(offered(PAGE_KEY))).toBe('open, codebeaker');
  for (const wrong of [
    offered(`${PAGE_KEY}x`),
    offered(''),
    'codebeaker',
    `codebeaker.key.${PAGE_KEY.slice(8)}`,
  ])
    expect(await upgrade(wrong.replace(/[^\w., -]/g, '')), wrong).toBe('refused');
  const headers = { 'sec-websocket-protocol': offered(PAGE_KEY) };
  expect((await http(`${server.url}/api/session`, 'GET', undefined, headers)).status).toBe(401);
});

// The first in its browser: the documentation keeps something of its own there.
needs('chromium')('the page asks for a key, uses it for all it does and keeps it nowhere else', async () => {
  const { browser } = page!;
  await browser.goto(`${server.url}/`);
  const give = async (key: string) => {
    await browser.until(`document.getElementById('key-dialog').open && document.activeElement.id === 'key'`);
    await browser.type(key);
    await browser.press('Enter');
  };
  await give('wrong');
  await browser.until(`!document.getElementById('key-refused').hidden`);
  await give(PAGE_KEY);
  await page!.says('Ready');
  expect(await page!.run('print(6 * 7)')).toContain('exit code 0');
  await page!.shows('.stdout', '42');
  await page!.keep(true);
  await page!.run('x = 6');
  await page!.run('x * 8');
  await page!.shows('.run:last-child .value', '48');
  await page!.click('#tab-terminal');
  await page!.screenShows(/\$/);
  // Somebody else ends the session.
  const mine = async () =>
    (await http(`${server.url}/api/session`, 'GET', undefined, { 'x-api-key': PAGE_KEY })).body.sessions;
  const [{ sessionId }] = await mine();
  await http(`${server.url}/api/session/${sessionId}`, 'DELETE', undefined, { 'x-api-key': PAGE_KEY });
  await page!.click('#tab-files');
  await page!.says('The session has ended');
  expect(await page!.run('"x" in globals()')).toContain('exit code 0');
  await page!.shows('.run:last-child .value', 'False');
  await page!.choose('language', 'Go');
  expect(await page!.shows('#unavailable', 'Go')).toContain('can’t run here');

  const kept = `[location.href, document.cookie, localStorage.length, ...performance.getEntries().map(({ name }) => name)].join()`;
  expect(await browser.evaluate(kept)).not.toMatch(/key.of|%2B|cmV5|a2V5/);
  expect(await browser.evaluate('document.cookie + localStorage.length')).toBe('0');
  expect(server.log()).not.toMatch(/key.of.ann|a2V5L29m/);
  // A new load of the tab still has it; then its session has ended, and without the key nothing is there.
  await browser.call('Page.reload');
  await page!.says('Ready');
  await expect.poll(mine).toEqual([]);
  await page!.click('#forget-key');
  await browser.until(`document.getElementById('key-dialog').open && sessionStorage.length === 0`);
});

test('the documents are open, and nothing that they describe is', async () => {
  for (const path of [
    '/docs',
    '/docs/',
    '/docs/json',
    '/docs/yaml',
    '/docs/static/swagger-ui.css',
    '/openrpc.json',
  ])
    expect((await http(`${server.url}${path}`)).status, path).toBe(200);
  const { paths } = (await http(`${server.url}/docs/json`)).body;
  for (const [path, operations] of Object.entries<Record<string, { security?: unknown[] }>>(paths))
    for (const [method, { security }] of Object.entries(operations)) {
      const url = `${server.url}${path.replace(/\{\w+\}/g, 'x')}`;
      const { status } = await http(url, method.toUpperCase(), method === 'post' ? {} : undefined);
      // Health says in the contract that it needs no key.
      if (security?.length === 0) expect(status, path).not.toBe(401);
      else expect(status, `${method} ${path}`).toBe(401);
    }
});

/** The first operation of the page, and how a person tries it. */
const BLOCK = `[...document.querySelectorAll('.opblock')].find(block =>
  block.querySelector('.opblock-summary-method').textContent === 'POST')`;
const RESPONSE = `${BLOCK}.querySelector('.live-responses-table .response')`;

async function click(browser: Browser, element: string): Promise<void> {
  await browser.until(`!!${element}`);
  await browser.evaluate(`${element}.click()`);
}

const DIALOGUE = `document.querySelector('.btn.authorize')`;
const DONE = `document.querySelector('.modal-btn.btn-done, .auth-btn-wrapper .btn-done')`;
const formOf = (scheme: number) => `document.querySelectorAll('.auth-container form')[${scheme}]`;

/** Puts a key into the dialogue behind "Authorize", of the scheme at this place, and closes it. */
async function authorize(browser: Browser, scheme: number): Promise<void> {
  const form = formOf(scheme);
  await click(browser, DIALOGUE);
  await browser.until(`!!${form}?.querySelector('input')`);
  await browser.evaluate(`{
    const input = ${form}.querySelector('input');
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(input, ${JSON.stringify(KEY)});
    input.dispatchEvent(new Event('input', { bubbles: true }));
    input.dispatchEvent(new Event('change', { bubbles: true }));
  }`);
  await click(browser, `${form}.querySelector('button.authorize')`);
  await click(browser, DONE);
}

/** Has it forget that key. */
async function logOut(browser: Browser, scheme: number): Promise<void> {
  await click(browser, DIALOGUE);
  await click(
    browser,
    `[...(${formOf(scheme)}?.querySelectorAll('button') ?? [])].find(({ textContent }) => textContent === 'Logout')`,
  );
  await click(browser, DONE);
}

/** Types into the body of the request, as the page's framework hears of it. */
async function typeBody(browser: Browser, text: string): Promise<void> {
  await browser.evaluate(`{
    const area = ${BLOCK}.querySelector('textarea');
    Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, 'value').set.call(area, ${JSON.stringify(text)});
    area.dispatchEvent(new Event('input', { bubbles: true }));
    area.dispatchEvent(new Event('change', { bubbles: true }));
  }`);
}

needs('chromium')(
  'Swagger UI shows every operation; the first click there is a 401, and after Authorize by either header the program’s result',
  async () => {
    const { browser } = page!;
    const earlier = browser.problems.length;
    await browser.goto(`${server.url}/docs`);
    const { paths } = (await http(`${server.url}/docs/json`)).body;
    const operations = Object.entries<object>(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map(method => `${method.toUpperCase()} ${path}`),
    );
    await browser.until(`document.querySelectorAll('.opblock').length >= ${operations.length}`);
    const shown = `[...document.querySelectorAll('.opblock')].map(block =>
      [...block.querySelectorAll('.opblock-summary-method, .opblock-summary-path')]
        .map(part => part.textContent.replace(/\u200b/g, '').trim()).join(' '))`;
    expect((await browser.evaluate(shown)).sort()).toEqual(operations.sort());
    await click(browser, `${BLOCK}?.querySelector('.opblock-summary-control')`);
    await click(browser, `${BLOCK}.querySelector('.try-out__btn')`);
    for (const scheme of [0, 1]) {
      await click(browser, `${BLOCK}.querySelector('button.execute')`);
      const told = (text: string) =>
        browser.until(`${RESPONSE}?.textContent.includes('${text}') && ${RESPONSE}.textContent`);
      expect(await told('UNAUTHORIZED')).toMatch(/^401/);
      await authorize(browser, scheme);
      await click(browser, `${BLOCK}.querySelector('button.execute')`);
      const answer = await told('executionId');
      expect(answer).toMatch(/^200/);
      expect(answer).toContain('"status": "completed"');
      expect(answer).toMatch(/"stdout": "hi\\n"/);
      if (scheme === 1) {
        await typeBody(browser, JSON.stringify({ language: 'python', code: 'print("from the browser")' }));
        await click(browser, `${BLOCK}.querySelector('button.execute')`);
        const id = /"executionId":\s*"([\w-]+)"/.exec(await told('from the browser'))?.[1];
        const end = await http(`${server.url}/api/execution/${id}`, 'GET', undefined, { 'x-api-key': KEY });
        expect(end.body).toMatchObject({ status: 'completed', stdout: 'from the browser\n' });
      }
      await logOut(browser, scheme);
    }
    expect(browser.problems.slice(earlier).filter(problem => !problem.includes('401'))).toEqual([]);
  },
);

test('the examples of a session’s commands work one after the other in a new session', async () => {
  const { paths } = (await http(`${server.url}/docs/json`)).body;
  const { examples } = paths['/api/session/{id}/execute'].post.requestBody.content['application/json'];
  const headers = { 'x-api-key': KEY };
  const { body } = await http(`${server.url}/api/session`, 'POST', { language: 'python' }, headers);
  const at = `${server.url}/api/session/${body.sessionId}`;
  for (const [name, { value }] of Object.entries<{ value: object }>(examples)) {
    const answer = await http(`${at}/execute`, 'POST', value, headers);
    expect(answer.body, name).toMatchObject({ success: true });
  }
  await http(at, 'DELETE', undefined, headers);
});

test('figures are no client’s where no key reads them', async () => {
  const headers = { authorization: `Bearer ${KEY}` };
  const refused = await http(`${server.url}/metrics`, 'GET', undefined, headers);
  expect(refused).toMatchObject({ status: 403, body: { message: /CODEBEAKER_METRICS_KEYS/ } });
});

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '../..');
const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');

/** The first program of a language in the README, for this server. */
function hello(fence: string): string {
  const [, text = ''] = new RegExp(`^\`\`\`${fence}\\n(.*?)^\`\`\`$`, 'ms').exec(readme) ?? [];
  return text.replaceAll('127.0.0.1:5039', new URL(server.url).host);
}

test('the examples send the key that CODEBEAKER_API_KEY names, and fail without', async () => {
  const env = { PATH: process.env.PATH, CODEBEAKER_URL: server.url };
  const keyed = { ...env, CODEBEAKER_API_KEY: KEY };
  const printed = async (program: string, args: string[]) =>
    (await run(program, args, { env: keyed })).stdout;
  const example = (name: string) => [join(ROOT, 'test/examples', name)];
  const js = ['--input-type=module', '-e'];
  const all = await Promise.all([
    printed('/usr/bin/python3', ['-c', hello('python')]),
    printed(process.execPath, [...js, hello('js')]),
    printed('/usr/bin/python3', example('session.py')),
    ...['one-shot.mjs', 'follow.mjs', 'agent.mjs', 'terminal.mjs'].map(name =>
      printed(process.execPath, example(name)),
    ),
  ]);
  expect(all.map(text => text.split('\n')[0])).toEqual([
    'x is 20',
    '10',
    '42',
    'ok 0',
    'one',
    expect.stringContaining('execute_code'),
    'exit code: 0',
  ]);
  await expect(run('/usr/bin/python3', ['-c', hello('python')], { env })).rejects.toThrow('401');
  await expect(run(process.execPath, [...js, hello('js')], { env })).rejects.toThrow('wants a key');
  await expect(run(process.execPath, example('one-shot.mjs'), { env })).rejects.toThrow('UNAUTHORIZED');
});
