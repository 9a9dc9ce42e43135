import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, inject, test } from 'vitest';
import { Config } from '../../src/config.ts';
import { needs } from '../support/needs.ts';

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

/** Programs to save and run as printed; those after them, down to the next heading, are a part of one in test/examples. */
const FIRST = { python: 'hello.py', js: 'hello.mjs' } as Record<string, string>;
const programs = Object.entries(FIRST).map(([language, name]) => {
  const at = blocks.findIndex(block => block.language === language);
  return { name, at, text: blocks[at]!.text, printed: blocks[at + 1]!.text };
});
const excerpts = blocks.filter(
  ({ language }, at) => language in FIRST && !programs.some(program => program.at === at),
);

/** Those that .ci/run runs as printed. */
const lines = blocks.filter(({ text }) => /^npm (ci|test)\b/.test(text));

test('each fenced block is of a kind that is checked below', () => {
  const kinds = blocks.map(block => (lines.includes(block) ? 'line' : block.language));
  expect(kinds.filter(kind => !(kind in FIRST))).toEqual([
    'line',
    'sh',
    'json',
    'text',
    'text',
    'sh',
    'sh',
    'sh',
    'sh',
    'line',
  ]);
  expect(excerpts).toHaveLength(9);
});

test('the two lines are made of scripts that exist', () => {
  expect(lines.map(({ text }) => text)).toEqual(['npm ci && npm run setup && npm start\n', 'npm test\n']);
  expect(readme).toContain('`npm run images`');
  for (const name of ['setup', 'start', 'test', 'images']) expect(packageJson.scripts).toHaveProperty(name);
});

needs('curl')('the curl example answers as printed', async () => {
  const example = blocks.findIndex(({ text }) => text.startsWith('curl'));
  const { stdout } = await run('sh', ['-c', here(blocks[example]!.text)]);
  const printed = JSON.parse(blocks[example + 1]!.text);
  const answer = JSON.parse(stdout);
  expect(Object.keys(answer)).toEqual(Object.keys(printed));
  expect(unmeasured(answer)).toEqual(unmeasured(printed));
});

needs('curl')('the lines that start a program and cancel it do that', async () => {
  const { text } = blocks.find(block => block.text.startsWith('id='))!;
  const { stdout } = await run('sh', ['-c', here(text)]);
  expect(JSON.parse(stdout)).toMatchObject({ status: 'cancelled', outcome: 'cancelled' });
});

needs('curl')('the lines that send a file and read a part of it do that', async () => {
  const { text } = blocks.find(block => block.text.includes('curl -sS -T'))!;
  const directory = await mkdtemp(join(tmpdir(), 'codebeaker-readme-'));
  const { stdout } = await run('sh', ['-c', here(text)], { cwd: directory });
  expect(stdout).toBe('1\n2\n3\n');
  await rm(directory, { recursive: true });
});

test.each(programs)('$name prints what is printed', async ({ name, text, printed }) => {
  const directory = await mkdtemp(join(tmpdir(), 'codebeaker-readme-'));
  await writeFile(join(directory, name), here(text));
  const program = name.endsWith('.py') ? '/usr/bin/python3' : process.execPath;
  const { stdout } = await run(program, [name], { cwd: directory });
  expect(stdout).toBe(printed);
  await rm(directory, { recursive: true });
});

test.each(excerpts)(
  'the lines %# of a longer program are those of the program that is named after them',
  ({ text }) => {
    const after = readme.slice(readme.indexOf(text) + text.length);
    const [, path] = /The whole program is \[(test\/examples\/[\w.-]+)\]/.exec(after)!;
    expect(readFileSync(join(ROOT, path!), 'utf8')).toContain(text.trim());
  },
);

test('the settings in its commands are settings, and the metrics that it names are there', async () => {
  const named = [...readme.matchAll(/\b(CODEBEAKER_[A-Z_]+)\b/g)].map(([, name]) => name!);
  const settings = (Object.values(Config.properties) as { env?: string }[]).map(({ env }) => env);
  const readByClients = ['CODEBEAKER_API_KEY', 'CODEBEAKER_URL'];
  expect(new Set(named.filter(name => !settings.includes(name)))).toEqual(new Set(readByClients));
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  const operating = readFileSync(join(ROOT, 'docker/README.md'), 'utf8');
  const told = [...(readme + operating).matchAll(/`(codebeaker_\w+)`/g)].map(([, name]) => name!);
  expect(told.length).toBeGreaterThan(5);
  for (const name of told) expect(metrics).toContain(`# TYPE ${name} `);
});

test('every folder, file and link that it and CONTRIBUTING.md name is there', () => {
  const text = readme + readFileSync(join(ROOT, 'CONTRIBUTING.md'), 'utf8');
  const drawn = [...text.matchAll(/(?<![\w/.])((?:src|routes|plugins|openapi|test|docker)\/[\w./-]*)/g)];
  const linked = [...text.matchAll(/\]\((?!https?:|#)([^)]+)\)/g)];
  const names = new Set([...drawn, ...linked].map(([, name]) => name!.replace(/#.*$|\.$/, '')));
  expect([...names].filter(name => !existsSync(join(ROOT, name)))).toEqual([]);
  expect(names.size).toBeGreaterThan(15);
});

test('every heading that it links to is there', () => {
  const headings = [...readme.matchAll(/^## (.*)$/gm)].map(([, title]) =>
    title!.toLowerCase().replaceAll(' ', '-'),
  );
  for (const [, heading] of readme.matchAll(/\]\(#([^)]+)\)/g)) expect(headings).toContain(heading);
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
