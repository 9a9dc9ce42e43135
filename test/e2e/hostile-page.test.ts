import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, inject } from 'vitest';
import { chromium, needs } from '../support/needs.ts';
import { PageDriver } from '../support/page-driver.ts';

/** What programs of strangers do to the page that shows them: nothing. */
const server = inject('server');
const inChromium = needs('chromium');
/** What a page would ask if it did what it is told; a browser asks no other host. */
const asked: string[] = [];
const stranger = createServer((request, response) => {
  asked.push(request.url ?? '');
  response.end();
});
let page: PageDriver;
let foreign: string;
beforeAll(async () => {
  stranger.listen(0, '127.0.0.1');
  await once(stranger, 'listening');
  foreign = `http://127.0.0.1:${(stranger.address() as AddressInfo).port}`;
  if (chromium() !== undefined) page = await PageDriver.launch();
});
afterAll(async () => {
  await page?.[Symbol.asyncDispose]();
  stranger.closeAllConnections();
  stranger.close();
});

/** The page is as it was, and no frame of it has gone anywhere. */
async function expectNothingDone(): Promise<void> {
  const { frameTree } = await page.browser.call('Page.getFrameTree');
  expect(frameTree.frame.url).toBe(`${server.url}/`);
  for (const { frame } of frameTree.childFrames ?? []) expect(frame.url).toBe('about:srcdoc');
  expect(await page.browser.evaluate(`[document.title, typeof hacked, localStorage.length].join()`)).toBe(
    'CodeBeaker,undefined,0',
  );
  expect(asked).toEqual([]);
}

const MARKUP = `<script>hacked=1</script><img src=x onerror=hacked=1><iframe srcdoc="<script>parent.hacked=1</script>"></iframe>`;

inChromium('what it prints is text, and so are the names of its files', async () => {
  await page.open(server.url);
  await page.run(`text = ${JSON.stringify(MARKUP)}
print(text)
print("\\x1b]0;hacked\\x07\\x1b]52;c;aGFja2Vk\\x07\\x1b]8;;javascript:hacked=1\\x1b\\\\link\\x1b]8;;\\x1b\\\\")`);
  expect(await page.shows('.stdout', 'link')).toBe(`${MARKUP}\nlink\n`);
  await page.keep(true);
  await page.run(`import os
name = '<img src=x onerror=hacked=1>\\u202egnp.exe'
open(name, 'w').write(${JSON.stringify(MARKUP)})
os.makedirs('"><script>hacked=1<\\\\script>')
1/0 if 0 else name`);
  await page.click('#tab-files');
  await page.shows('#entries', '<img src=x');
  await page.browser.evaluate(
    `[...document.querySelectorAll('#entries button')].find(each => each.textContent === 'View').click()`,
  );
  expect(await page.shows('#preview pre', 'script')).toBe(MARKUP);
  expect(
    await page.browser.evaluate(`document.querySelectorAll('.results :is(img, script, iframe)').length`),
  ).toBe(0);
  await expectNothingDone();
});

inChromium('what it displays runs nothing, sends nothing, loads nothing and leads nowhere', async () => {
  await page.open(server.url);
  await page.keep(true);
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" onload="hacked=1"><script>hacked=1</script><image href="${foreign}/svg"/><rect width="9" height="9"/></svg>`;
  const html = `<h1>shown</h1><meta http-equiv="refresh" content="0;url=${foreign}/refresh">
<base target="_top"><link rel="stylesheet" href="${foreign}/css"><style>@import "${foreign}/import"; h1 { background: url(${foreign}/back) }</style>
<img src="${foreign}/img" onerror="parent.hacked=1"><script src="${foreign}/js"></script><script>top.hacked=1</script>
<iframe src="${foreign}/frame"></iframe><iframe src="javascript:top.hacked=1"></iframe><object data="${foreign}/object"></object><embed src="${foreign}/embed">
<video src="${foreign}/video" autoplay></video><form action="${foreign}/form"><button id=b>x</button></form><a href="${foreign}/ping" ping="${foreign}/ping">x</a>
<link rel="prefetch" href="${foreign}/prefetch"><link rel="preconnect" href="${foreign}"><link rel="dns-prefetch" href="${foreign}">`;
  expect(
    await page.run(`from IPython.display import display
for bundle in [{"text/html": ${JSON.stringify(html)}}, {"image/svg+xml": ${JSON.stringify(svg)}},
    {"image/png": '" onerror="hacked=1'}, {"text/markdown": "[x](javascript:hacked=1)"}, {"application/javascript": "hacked=1"},
    {"text/html": '<meta http-equiv="refresh" content="0;url=/docs">second'}]:
    display(bundle, raw=True)`),
  ).toContain('exit code 0');
  // Its frames have come as far as they get: our own style is the last thing that they load.
  await page.browser.until(
    `document.querySelectorAll('.run iframe').length === 2 && !!document.querySelector('.run img')?.complete`,
  );
  expect(
    await page.browser.evaluate(
      `[...document.querySelectorAll('.run iframe')].map(each => each.getAttribute('sandbox') + (each.contentDocument === null)).join()`,
    ),
  ).toBe('true,true');
  expect(
    await page.browser.evaluate(`document.querySelectorAll('.run a, .run script, .run object').length`),
  ).toBe(0);
  await page.click('#tab-terminal');
  await page.screenShows(/\$/);
  await page.browser.evaluate(
    `navigator.clipboard && (navigator.clipboard.writeText = () => { hacked = 1; })`,
  );
  await page.typeKeys(
    `printf '\\033]0;hacked\\a\\033]52;c;aGFja2Vk\\a\\033]8;;${foreign}/link\\033\\\\click\\033]8;;\\033\\\\\\n'; echo d''one\n`,
  );
  await page.screenShows(/^done/m);
  await page.browser.evaluate(
    `[...document.querySelectorAll('.xterm-rows span')].find(each => each.textContent.includes('click'))?.click()`,
  );
  await expectNothingDone();
});

inChromium('however much it prints, the page holds the end of it', async () => {
  await page.open(server.url);
  await page.run(`import sys
for n in range(300):
    print("out", n, flush=True)
    print("err", n, file=sys.stderr, flush=True)
print("x" * 300_000)
print("the end")`);
  await page.browser.until(
    `[...document.querySelectorAll('.stdout')].at(-1)?.textContent.endsWith('the end\\n')`,
  );
  expect(
    await page.browser.evaluate(`document.querySelectorAll('.printed > div').length <= 200 &&
      document.querySelector('.printed').textContent.length < 110_000`),
  ).toBe(true);
  expect(await page.shows('.left-out', 'not shown')).toMatch(
    /^[\d,]+ characters before this are not shown\.$/,
  );
  await expectNothingDone();
});
