import { afterAll, beforeAll, expect } from 'vitest';
import { chromium, needs } from '../support/needs.ts';
import { PageDriver } from '../support/page-driver.ts';
import { http } from '../support/rest-client.ts';
import { type RunningServer, startServer } from '../support/start-server.ts';

/** The page at `/` where keys are set. One that no URL could hold as it is. */
const KEY = 'key/of+ann?=0001';
let server: RunningServer;
let page: PageDriver | undefined;
beforeAll(async () => {
  [server, page] = await Promise.all([
    startServer({ env: { CODEBEAKER_API_KEYS: `${KEY},another` } }),
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
  expect(await upgrade(offered(KEY))).toBe('open, codebeaker');
  for (const wrong of [offered(`${KEY}x`), offered(''), 'codebeaker', `codebeaker.key.${KEY.slice(8)}`])
    expect(await upgrade(wrong.replace(/[^\w., -]/g, '')), wrong).toBe('refused');
  const headers = { 'sec-websocket-protocol': offered(KEY) };
  expect((await http(`${server.url}/api/session`, 'GET', undefined, headers)).status).toBe(401);
});

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
  await give(KEY);
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
    (await http(`${server.url}/api/session`, 'GET', undefined, { 'x-api-key': KEY })).body.sessions;
  const [{ sessionId }] = await mine();
  await http(`${server.url}/api/session/${sessionId}`, 'DELETE', undefined, { 'x-api-key': KEY });
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
