import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, inject, test } from 'vitest';
import { CodeBeaker } from '../../src/client/index.ts';
import { Browser } from '../support/browser.ts';
import { CuttingProxy } from '../support/cutting-proxy.ts';
import { needs } from '../support/needs.ts';

/** Our own client as it is published, on the platforms it is made for. */
const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '../..');
const { url } = inject('server');
const CLIENT = readdirSync(join(ROOT, 'src/client/built'));

test.each([
  ['Node.js', process.execPath, []],
  ['Bun', join(ROOT, 'node_modules/.bin/bun'), []],
  ['Deno', join(ROOT, 'node_modules/.bin/deno'), ['run', '-A']],
])('is used by a program on %s', async (_, program, flags) => {
  const env = { ...process.env, CODEBEAKER_URL: url, NO_COLOR: '1' };
  const { stdout } = await run(program, [...flags, join(ROOT, 'test/examples/client.mjs')], { env });
  expect(stdout).toBe('42\n2\n4\n6\nnonzero_exit ZeroDivisionError\n');
});

/** Prints, goes on when it is let, and writes a file. */
const WAITS = `import os, time
print(open('a.txt').read(), flush=True)
while not os.path.exists('go'): time.sleep(0.01)
print('and on')
_ = open('b.txt', 'w').write('written\\n')`;

needs('chromium')(
  'is used by a web page, whose output comes as it is printed and goes on where its connection was lost',
  async () => {
    // The page lies elsewhere on this machine, which the service allows.
    const files = createServer((request, response) => {
      const name = (request.url ?? '').slice(1);
      const isPage = !CLIENT.includes(name);
      response.setHeader('content-type', isPage ? 'text/html' : 'text/javascript');
      response.end(isPage ? '<!doctype html>' : readFileSync(join(ROOT, 'src/client/built', name)));
    });
    files.listen(0, '127.0.0.1');
    await once(files, 'listening');
    await using browser = await Browser.launch();
    await using proxy = await CuttingProxy.open(url);
    await browser.goto(`http://127.0.0.1:${(files.address() as AddressInfo).port}/`);
    const sessionId = await browser.evaluate(`(async () => {
    const { CodeBeaker } = await import('/index.js');
    const client = new CodeBeaker({ url: ${JSON.stringify(proxy.url)} });
    const session = await client.session({ language: 'python' });
    await session.write('a.txt', 'from a page');
    window.shown = '';
    window.whole = (async () => {
      for await (const event of session.stream(${JSON.stringify(WAITS)}))
        if (event.type === 'output') shown += event.text;
      shown += await session.readText('b.txt');
      for await (const event of client.stream({ language: 'python', code: 'print(42)' }))
        if (event.type === 'output') shown += event.text;
      await session.close();
      client.close();
      return shown;
    })();
    return session.id;
  })()`);
    await browser.until(`shown === 'from a page\\n'`);
    expect(browser.problems).toEqual([]);
    proxy.cut({ refuse: true });
    const beside = new CodeBeaker({ url });
    await beside.attach(sessionId).write('go', '');
    beside.close();
    proxy.mend();
    expect(await browser.evaluate('whole')).toBe('from a page\nand on\nwritten\n42\n');
    files.close();
    files.closeAllConnections();
  },
);

test('imports nothing but itself', () => {
  const imports = CLIENT.flatMap(name => {
    const text = readFileSync(join(ROOT, 'src/client/built', name), 'utf8');
    return [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(([, target = '']) => target);
  });
  expect(imports.length).toBeGreaterThan(10);
  expect(imports.filter(target => !/^\.\/[\w-]+\.[jt]s$/.test(target))).toEqual([]);
});
