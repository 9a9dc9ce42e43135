import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, inject, test } from 'vitest';
import { Config } from '../../src/config.ts';
import { needs } from '../support/needs.ts';
import { TestSession } from '../support/session.ts';

/** Every example of the README, run as printed save the port; every name in it, looked up. */
const server = inject('server');
const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '../..');
const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
const packageJson = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

const blocks = [...readme.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(([, language, text]) => ({
  language: language!,
  text: text!,
}));
const here = (text: string) => text.replaceAll('127.0.0.1:5039', server.url.replace('http://', ''));

test('each fenced block is of a kind that is checked below', () => {
  const kinds = blocks.map(({ language, text }) => (text.startsWith('npm ci') ? 'line' : language));
  expect(kinds).toEqual(['line', 'line', 'sh', 'sh', 'json', 'js', 'text', 'json', 'json', 'json', 'json']);
});

test('the two lines are made of scripts that exist', () => {
  const lines = blocks.filter(block => block.text.startsWith('npm ci'));
  const scripts = lines.flatMap(({ text }) => text.trim().split(' && ').slice(1));
  expect(scripts).toEqual(['npm run setup', 'npm start', 'npm run setup', 'npm test']);
  expect(readme).toContain('\nnpm run images\n');
  for (const name of ['setup', 'start', 'test', 'images']) expect(packageJson.scripts).toHaveProperty(name);
});

needs('curl')('the curl example answers as printed', async () => {
  const example = blocks.findIndex(block => block.language === 'sh' && block.text.startsWith('curl'));
  const { stdout } = await run('sh', ['-c', here(blocks[example]!.text)]);
  const printed = JSON.parse(blocks[example + 1]!.text);
  const answer = JSON.parse(stdout);
  expect(Object.keys(answer)).toEqual(Object.keys(printed));
  expect(unmeasured(answer)).toEqual(unmeasured(printed));
});

test('the WebSocket example prints what is printed', async () => {
  const example = blocks.findIndex(block => block.language === 'js');
  const directory = await mkdtemp(join(tmpdir(), 'codebeaker-readme-'));
  await writeFile(join(directory, 'hello.mjs'), here(blocks[example]!.text));
  const { stdout } = await run(process.execPath, ['hello.mjs'], { cwd: directory });
  expect(stdout).toBe(blocks[example + 1]!.text);
  await rm(directory, { recursive: true });
});

test('the commands that compare and patch answer as printed', async () => {
  const [diff, told, patch, applied] = blocks.slice(-4).map(({ text }) => JSON.parse(text));
  await using session = await TestSession.open(server.wsUrl, { language: 'python' });
  const printed = /^-(.*)$/m.exec(told.diff.slice(told.diff.indexOf('@@')))![1];
  await session.done('write_file', { path: diff.originalPath, content: `${printed}\n` });
  expect(await session.done(diff.type, diff)).toEqual(told);
  expect(await session.done(patch.type, patch)).toEqual(applied);
});

test('every folder, file and link that it and CONTRIBUTING.md name is there', () => {
  const text = readme + readFileSync(join(ROOT, 'CONTRIBUTING.md'), 'utf8');
  const drawn = [...text.matchAll(/(?<![\w/.])((?:src|routes|plugins|openapi|test|docker)\/[\w./-]*)/g)];
  const linked = [...text.matchAll(/\]\((?!https?:)([^)]+)\)/g)];
  const names = new Set([...drawn, ...linked].map(([, name]) => name!.replace(/\.$/, '')));
  expect([...names].filter(name => !existsSync(join(ROOT, name)))).toEqual([]);
  expect(names.size).toBeGreaterThan(15);
});

test('its table of settings is the service’s, name by name and default by default', () => {
  const rows = [...readme.matchAll(/^\| `([A-Z_]+)` +\| (.*?) +\|/gm)].map(([, name, value]) => [
    name!,
    value!,
  ]);
  const settings = Object.values(Config.properties) as { env?: string; default?: unknown; type?: string }[];
  expect(rows.map(([name]) => name).sort()).toEqual(settings.map(({ env }) => env).sort());
  for (const { env, default: value, type } of settings) {
    if (value === undefined || type === 'array') continue;
    expect(Object.fromEntries(rows)[env!], env).toBe(`\`${value}\``);
  }
});

/** What differs from run to run, replaced by its kind. */
function unmeasured(value: unknown, key = ''): unknown {
  if (typeof value === 'number' && /Ms$|^peak/.test(key)) return 'a figure';
  if (typeof value === 'string' && /Id$/.test(key)) return 'an id';
  if (typeof value === 'string' && /At$/.test(key)) return value.replace(/\d/g, '0');
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, unmeasured(each, name)]));
}
