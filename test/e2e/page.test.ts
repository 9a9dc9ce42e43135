import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject } from 'vitest';
import { chromium, needs } from '../support/needs.ts';
import { CTRL, PageDriver, SHIFT } from '../support/page-driver.ts';
import { Screen } from '../support/screen.ts';
import { Terminal } from '../support/terminal.ts';

/** The page at `/` as a person uses it, in a real browser. */
const server = inject('server');
const inChromium = needs('chromium');
let page: PageDriver;
let downloads: string;
beforeAll(async () => {
  if (chromium() === undefined) return;
  page = await PageDriver.launch();
  downloads = await mkdtemp(join(tmpdir(), 'codebeaker-downloads-'));
});
afterAll(async () => {
  await page?.[Symbol.asyncDispose]();
  if (downloads) await rm(downloads, { recursive: true, force: true });
});

/** Tells each size of its terminal. */
const SIZES = `import os, signal, time
def tell(*_): print(*os.get_terminal_size(), flush=True)
signal.signal(signal.SIGWINCH, tell)
tell()
while True: time.sleep(1000)
`;
/** Prints a text byte by byte, so that each letter beyond ASCII comes in pieces. */
const BYTEWISE = `import sys, time
for byte in 'grüße, 漢字 and 👍\\n'.encode():
    sys.stdout.buffer.write(bytes([byte]))
    sys.stdout.flush()
    time.sleep(0.005)
`;
/** Has a page know its sockets, so that they can be closed as a network does, and what it opened. */
const KEEPS_SOCKETS = `
  window.sockets = [];
  window.WebSocket = class extends WebSocket {
    constructor(...words) {
      super(...words);
      window.sockets.push(this);
      this.addEventListener('message', ({ data }) => {
        for (const name of ['sessionId', 'commandId'])
          window[name] = new RegExp('"' + name + '":"([^"]+)"').exec(data)?.[1] ?? window[name];
      });
    }
  };`;
const focused = () => page.browser.evaluate('document.activeElement.id || document.activeElement.tagName');
const entries = () =>
  page.browser.evaluate(`[...document.querySelectorAll('#entries th')].map(each => each.textContent)`);

describe('a program', () => {
  inChromium('shows what it prints while it runs, by stream, and is stopped', async () => {
    await page.open(server.url);
    await page.write(
      'import sys, time\nprint("to stdout", flush=True)\nprint("to stderr", file=sys.stderr, flush=True)\ntime.sleep(1000)',
    );
    await page.browser.press('Enter', CTRL);
    await page.shows('.stdout', 'to stdout');
    expect(await page.shows('.stderr pre', 'to stderr')).not.toContain('stdout');
    expect(await page.shows('.stderr .tag', 'stderr')).toBe('stderr');
    await page.says('Runs');
    await page.click('#stop');
    await page.says('Stopped');
    expect(page.browser.problems).toEqual([]);
  });

  inChromium('comes from the examples, in colours, and reads standard input', async () => {
    await page.open(server.url);
    await page.choose('example', 'Standard input');
    const colours = await page.browser.evaluate(`document.getElementById('colours').textContent`);
    expect(colours.trimEnd()).toBe(
      (await page.browser.evaluate(`document.getElementById('code').value`)).trimEnd(),
    );
    expect(await page.browser.evaluate(`document.querySelector('#colours .hljs-keyword').textContent`)).toBe(
      'import',
    );
    expect(await page.run()).toContain('exit code 0');
    expect(await page.shows('.stdout', 'sum')).toBe('4 numbers, sum 42.0\n');
    await page.choose('language', 'JavaScript');
    expect(await page.run()).toContain('exit code 0');
    await page.shows('.stdout', 'step 5');
  });

  inChromium('is followed to its end, however much comes at once, until its reader goes up', async () => {
    await page.open(server.url);
    const below = `(({ scrollHeight, scrollTop, clientHeight }) => scrollHeight - scrollTop - clientHeight)(document.getElementById('output'))`;
    await page.run('print(*range(1000), sep="\\n")');
    await page.browser.until(`${below} < 2 && document.getElementById('output').scrollTop > 1000`);
    await page.write('import time\nprint(*range(500), "last", sep="\\n", flush=True)\ntime.sleep(1000)');
    await page.browser.press('Enter', CTRL);
    await page.shows('.run:last-child .stdout', 'last');
    await page.browser.until(`${below} < 2`);
    await page.browser.evaluate(`document.getElementById('output').scrollTop = 500,
      new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done())))`);
    await page.click('#stop');
    await page.shows('.run:last-child .end', 'Stopped');
    expect(await page.browser.evaluate(`document.getElementById('output').scrollTop`)).toBe(500);
  });

  inChromium('that fails says how', async () => {
    await page.open(server.url);
    expect(await page.run('import os, signal\nos.kill(os.getpid(), signal.SIGTERM)')).toContain('SIGTERM');
    expect(await page.run('raise SystemExit(3)')).toContain('exit code 3');
    await page.keep(true);
    expect(await page.run('undefined_name')).toContain('exit code 1');
    await page.shows('.stderr', "NameError: name 'undefined_name' is not defined");
  });
});

describe('a session', () => {
  inChromium('keeps variables and files, and shows pictures and tables', async () => {
    await page.open(server.url);
    await page.choose('example', 'A picture');
    await page.run();
    await page.browser.until(`document.querySelector('.run img')?.naturalWidth === 300`);
    await page.run('x = 41');
    await page.run('x + 1');
    await page.shows('.run:last-child .value', '42');
    await page.choose('example', 'A table');
    await page.run();
    await page.browser.until(`!!document.querySelector('.run:last-child iframe[sandbox=""]')`);

    await page.click('#tab-files');
    await page.shows('#entries', 'mandelbrot.png');
    await page.click('[aria-label="View mandelbrot.png"]');
    await page.browser.until(`document.querySelector('#preview img')?.naturalWidth === 300`);
    await page.browser.evaluate(`{
      const files = new DataTransfer();
      files.items.add(new File(['from this machine\\n'], 'notes.txt'));
      const input = document.getElementById('upload');
      input.files = files.files;
      input.dispatchEvent(new Event('change'));
    }`);
    await page.shows('#entries', 'notes.txt');
    await page.click('[aria-label="View notes.txt"]');
    await page.shows('#preview pre', 'from this machine');
    await page.browser.call('Browser.setDownloadBehavior', { behavior: 'allow', downloadPath: downloads });
    await page.click('[aria-label="Download notes.txt"]');
    await expect
      .poll(() => readFile(join(downloads, 'notes.txt'), 'utf8').catch(() => ''))
      .toBe('from this machine\n');
    await page.click('[aria-label="Delete notes.txt"]');
    await page.says('notes.txt is deleted');
    await expect.poll(entries).toEqual(['mandelbrot.png']);

    await page.click('#restart');
    await page.click('#tab-files');
    await page.shows('#count', 'No files yet');
    expect(page.browser.problems).toEqual([]);
  });

  inChromium('has a terminal, with keys, colours, sizes and programs for a whole screen', async () => {
    await page.open(server.url);
    await page.keep(true);
    await page.run(
      `open('sizes.py', 'w').write(${JSON.stringify(SIZES)}); open('bytewise.py', 'w').write(${JSON.stringify(BYTEWISE)})`,
    );
    await page.click('#tab-terminal');
    await page.screenShows(/\$/);
    await page.typeKeys('printf "\\033[38;2;255;0;0mred\\033[0m\\n"\n');
    await page.screenShows(/^red\s*$/m);
    expect(
      await page.browser.evaluate(`[...document.querySelectorAll('.xterm-rows span')]
        .some(each => each.textContent === 'red' && getComputedStyle(each).color !== getComputedStyle(each.parentElement).color)`),
    ).toBe(true);
    const size = () =>
      page.browser.evaluate(`document.querySelector('.xterm-rows').innerText.match(/^\\d+ \\d+/gm)?.at(-1)`);
    await page.typeKeys('python3 sizes.py\n');
    await expect.poll(size).toMatch(/^\d+ \d+$/);
    const before = await size();
    await page.resize(1000, 600);
    await expect.poll(size).not.toBe(before);
    await page.browser.press('c', CTRL);
    await page.screenShows(/KeyboardInterrupt\s+\S*\$\s*$/);
    await page.typeKeys('seq 500 | less\n');
    await page.screenShows(/^:/m);
    await page.typeKeys('G');
    await page.screenShows(/^500\n\(END\)/m);
    await page.typeKeys('g ');
    await page.screenShows(/^\d\d\n:/m);
    await page.typeKeys('?^3$\n');
    await page.screenShows(/^3\n4\n5\n/);
    await page.typeKeys('q');
    await page.screenShows(/\$\s*$/);
    await page.typeKeys('python3 bytewise.py\n');
    await page.screenShows(/^grüße, 漢字 and 👍$/m);
    await page.typeKeys('python3\n');
    await page.screenShows(/^>>>/m);
    await page.typeKeys('print(6 * 7)\n');
    await page.screenShows(/^42\s*$/m);
    await page.browser.press('d', CTRL);
    await page.screenShows(/\$\s*$/);
    await page.resize(1280, 800);
    expect(page.browser.problems).toEqual([]);
  });

  inChromium(
    'has a terminal for editors and jobs, which outlives its connection and is the same for others',
    async () => {
      await page.browser.call('Page.addScriptToEvaluateOnNewDocument', { source: KEEPS_SOCKETS });
      await page.open(server.url);
      await page.keep(true);
      await page.click('#tab-terminal');
      await page.screenShows(/\$/);
      await page.typeKeys('stty size\n');
      await page.screenShows(/^\d+ \d+$/m);
      const [rows, cols] = /^(\d+) (\d+)$/m
        .exec(await page.screen())!
        .slice(1)
        .map(Number) as [number, number];
      await page.typeKeys('vim -u NONE notes\n');
      await page.screenShows(/^~[\s\S]*^~/m);
      await page.typeKeys('igrüße');
      await page.browser.press('Escape');

      const { sessionId, commandId } = await page.browser.evaluate('({ sessionId, commandId })');
      await using other = await Terminal.of(server.wsUrl, sessionId, commandId);
      const screen = new Screen(other, { cols, rows });
      const areAlike = async () => (await screen.text()) === (await page.screen());
      await expect.poll(areAlike).toBe(true);
      expect(await screen.text()).toMatch(/^grüße\n~\n~/);
      await page.browser.evaluate('sockets.at(-1).close()');
      await other.types('ofrom the other', '');
      await page.screenShows(/^from the other\s*$/m);
      await expect.poll(areAlike).toBe(true);
      await page.browser.press('Escape');
      await page.typeKeys('dd');
      await page.typeKeys(':wq\n');
      await page.screenShows(/\$\s*$/);
      await page.typeKeys('cat notes -\n');
      await page.screenShows(/^grüße$/m);
      await page.browser.press('z', CTRL);
      await page.screenShows(/Stopped +cat/);
      await page.typeKeys('fg\n');
      await page.screenShows(/fg\ncat/);
      await page.typeKeys('on\n');
      await page.screenShows(/^on\non$/m);
      await page.browser.press('c', CTRL);
      await page.screenShows(/\^C\s+\S*\$\s*$/);
      await page.typeKeys('top\n');
      await page.screenShows(/load average[\s\S]*PID USER/);
      await page.typeKeys('q');
      await page.screenShows(/\$\s*$/);
      expect(page.browser.problems).toEqual([]);
    },
  );
});

inChromium('all of it is done with the keyboard', async () => {
  const { browser } = page;
  await page.open(server.url);
  await browser.evaluate(`document.getElementById('code').focus()`);
  await browser.press('a', CTRL);
  await browser.type('for n in range(2):');
  await browser.press('Enter');
  await browser.type('print(n)');
  expect(await browser.evaluate(`document.getElementById('code').value`)).toBe(
    'for n in range(2):\n    print(n)',
  );
  await browser.press('Tab');
  expect(await focused()).toBe('code');
  await browser.press('Escape');
  const order = [];
  for (let at = 0; at < 6; at++) {
    await browser.press('Tab');
    order.push(await focused());
  }
  expect(order).toEqual(['SUMMARY', 'run', 'stop', 'keep', 'tab-output', 'output']);
  for (let at = 0; at < 4; at++) await browser.press('Tab', SHIFT);
  expect(await focused()).toBe('run');
  await browser.press('Enter');
  await page.says('exit code 0');
  expect(await focused()).toBe('run');
  await page.shows('.stdout', '0\n1\n');

  for (let at = 0; at < 3; at++) await browser.press('Tab');
  await browser.press('ArrowRight');
  expect(await focused()).toBe('tab-files');
  await page.shows('#count', 'No files yet');
  await browser.press('End');
  await page.screenShows(/\$/);
  await browser.until(`document.activeElement.className.includes('xterm')`);
  await browser.press('Tab', SHIFT);
  expect(await focused()).not.toContain('TEXTAREA');
});

inChromium('its parts have names, roles and contrast, in light and dark', async () => {
  const { browser } = page;
  const axe = await readFile(new URL(import.meta.resolve('axe-core/axe.min.js')), 'utf8');
  const violations = async (): Promise<unknown> =>
    browser.evaluate(`axe.run().then(({ violations }) =>
      violations.map(({ id, nodes }) => id + ' ' + nodes.map(({ html }) => html).join(' ')))`);
  await page.open(server.url);
  await browser.evaluate(axe);
  await page.keep(true);
  await page.run('import sys\nprint(1)\nprint(2, file=sys.stderr)\nopen("a.txt", "w").write("a")');
  for (const scheme of ['light', 'dark']) {
    await page.prefer('prefers-color-scheme', scheme);
    await page.click('#tab-output');
    expect(await violations(), `${scheme}, output`).toEqual([]);
    await page.click('#tab-files');
    await page.shows('#entries', 'a.txt');
    expect(await violations(), `${scheme}, files`).toEqual([]);
    await page.click('#tab-terminal');
    await page.screenShows(/\$/);
    expect(await violations(), `${scheme}, terminal`).toEqual([]);
  }
});
