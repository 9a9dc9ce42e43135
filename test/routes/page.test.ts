import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fastify from 'fastify';
import { afterAll, expect, test } from 'vitest';
import type { DoorParts } from '../../routes/door.ts';
import { pageFiles } from '../../routes/page/files.ts';
import { page } from '../../routes/page/index.ts';

const app = fastify();
await page.open(app, {} as DoorParts);
afterAll(() => app.close());
const html = readFileSync(join(import.meta.dirname, '../../routes/page/index.html'), 'utf8');

test('every file that the page and its modules name is served, and told from its last version', async () => {
  const inHtml = [...html.matchAll(/"(?:\.\/)?(page\/[^"]+)"/g)].map(([, path = '']) => path);
  const modules = [...pageFiles().keys()].filter(path => /^(?:app|client)\//.test(path));
  const imports = await Promise.all(
    modules.map(async path => {
      const { body } = await app.inject(`/page/${path}`);
      return [...body.matchAll(/from '\.\/([^']+)'/g)].map(
        ([, name]) => `page/${path.split('/')[0]}/${name}`,
      );
    }),
  );
  const all = [...inHtml, ...imports.flat()];
  expect(all).toEqual(
    expect.arrayContaining(['page/app/main.js', 'page/client/index.js', 'page/app/key.js']),
  );
  for (const path of new Set(all)) {
    const answer = await app.inject(`/${path}`);
    expect(answer.statusCode, path).toBe(200);
    const { etag } = answer.headers;
    const again = await app.inject({ url: `/${path}`, headers: { 'if-none-match': etag } });
    expect(again.statusCode, path).toBe(304);
  }
});

test.each([
  '../index.ts',
  '..%2findex.ts',
  'app/../../index.html',
  '%2e%2e/files.ts',
  '/etc/passwd',
  '',
  'app/',
])('nothing else of the machine is served: %s', async path => {
  expect((await app.inject(`/page/${path}`)).statusCode).not.toBe(200);
});

test('its policy lets in no script but its own files and the map of its imports, and no foreign host', async () => {
  const policy = String((await app.inject('/')).headers['content-security-policy']);
  const rules = new Map(policy.split('; ').map(rule => [rule.split(' ')[0], rule.split(' ').slice(1)]));
  expect(rules.get('default-src')).toEqual(["'none'"]);
  expect(rules.get('script-src')).toEqual(["'self'", expect.stringMatching(/^'sha256-[\w+/]{43}='$/)]);
  expect(rules.get('style-src')).toEqual(["'self'"]);
  expect(rules.get('connect-src')).toEqual(["'self'"]);
  expect(rules.get('require-trusted-types-for')).toEqual(["'script'"]);
  expect(policy).not.toMatch(/unsafe|https?:|\*/);
  expect(html).not.toMatch(/https?:|\son\w+=|\sstyle=|<style/);
  for (const [path, file] of pageFiles()) {
    const text = (await file.read()).content.toString();
    if (path.startsWith('app/')) expect(text, path).not.toMatch(/https?:\/\/|innerHTML|eval\(/);
    if (path.endsWith('.css')) expect(text, path).not.toMatch(/@import|url\(/);
  }
});
