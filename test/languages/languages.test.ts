import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { findLanguage, languages } from '../../src/languages/index.ts';
import { NO_PERMISSIONS } from '../../src/toolchains/toolchain.ts';

const BUN = join(import.meta.dirname, '../../node_modules/bun/bin');
const programs: Record<string, string> = { bun: join(BUN, 'bun.exe'), python3: '/usr/bin/python3' };
const directory = mkdtempSync(join(tmpdir(), 'languages-'));
afterAll(() => rmSync(directory, { recursive: true }));

/** Runs code as a one-shot of a language does, but without a sandbox. */
function run(name: string, code: string, args: string[] = [], input = '', more: Record<string, string> = {}) {
  const { language } = findLanguage(name)!;
  const toolchain = language.toolchains[0]!;
  const file = join(directory, language.fileName);
  writeFileSync(file, code);
  const [program, ...rest] = toolchain.run(file, NO_PERMISSIONS);
  const env = { PATH: '/usr/bin:/bin', LANG: 'C.UTF-8', HOME: directory, TZ: 'UTC', ...more };
  const options = { cwd: directory, env, input, encoding: 'utf8' } as const;
  return spawnSync(programs[basename(program!)]!, [...rest, ...args], options);
}

test('a language is found by its name and aliases, in whatever case', () => {
  const found = (name: string) => findLanguage(name)?.language.name;
  expect(['python', 'py', 'Python3'].map(found)).toEqual(['python', 'python', 'python']);
  expect(['javascript', 'js', 'node', 'nodejs'].map(found)).toEqual(Array(4).fill('javascript'));
  expect(['typescript', 'TS', 'bun'].map(found)).toEqual(Array(3).fill('typescript'));
  expect(['', 'cobol', '__proto__', 'constructor'].map(found)).toEqual(Array(4).fill(undefined));
});

test('only an alias that means a toolchain forces one', () => {
  expect(findLanguage('bun')?.toolchain?.name).toBe('bun');
  expect(findLanguage('typescript')?.toolchain).toBeUndefined();
});

test('no two languages share a name or a file', () => {
  const names = languages.flatMap(l => [
    ...[l.name, ...l.aliases],
    ...Object.keys({ ...l.toolchainAliases, ...l.runtimeAliases }),
  ]);
  expect(new Set(names).size).toBe(names.length);
  const files = languages.map(language => language.fileName);
  expect(new Set(files).size).toBe(files.length);
});

describe.for(['python', 'javascript', 'typescript'])('a one-shot in %s', language => {
  const python = language === 'python';
  const args = ['a b', `it's "q"`, '$(id)', '', '-v', '--help', '-c', '--', '\n', 'é'];

  test('gets its arguments unharmed, also those that look like options', () => {
    const code = python
      ? 'import json, sys; print(json.dumps(sys.argv[1:]))'
      : 'console.log(JSON.stringify(process.argv.slice(2)))';
    expect(JSON.parse(run(language, code, args).stdout)).toEqual(args);
  });

  test('ends with its exit code, and 1 for an uncaught error told on stderr with its line', () => {
    expect(run(language, python ? 'import sys; sys.exit(3)' : 'process.exit(3)').status).toBe(3);
    const failed = run(language, python ? '\n\nraise ValueError("no")' : '\n\nthrow new TypeError("no")');
    expect(failed.status).toBe(1);
    expect(failed.stderr).toMatch(python ? /line 3[\s\S]*ValueError: no/ : /TypeError: no[\s\S]*:3:/);
  });

  test('reads its input and imports files beside it', () => {
    writeFileSync(join(directory, 'mine.py'), 'answer = 42');
    writeFileSync(join(directory, 'mine.js'), 'export const answer = 42;');
    const code = python
      ? 'import sys, mine; print(mine.answer, sys.stdin.read())'
      : `import { answer } from './mine.js';
const fs = require('fs');
console.log(answer, fs.readFileSync(0, 'utf8'), await 1);`;
    expect(run(language, code, [], 'in é').stdout).toBe(python ? '42 in é\n' : '42 in é 1\n');
  });
});

test('a missing package is an error at once, without a search on the network', async () => {
  let asked = 0;
  const registry = createServer(socket => {
    asked++;
    socket.destroy();
  }).listen(0, '127.0.0.1');
  await once(registry, 'listening');
  const { port } = registry.address() as AddressInfo;
  const environment = { BUN_CONFIG_REGISTRY: `http://127.0.0.1:${port}/` };
  const { status, stderr } = run('javascript', 'import "no-such-package-of-ours"', [], '', environment);
  expect(status).toBe(1);
  expect(stderr).toContain('no-such-package-of-ours');
  // What has come by now is taken now.
  await new Promise(resolve => setImmediate(resolve));
  registry.close();
  await once(registry, 'close');
  expect(asked).toBe(0);
});

test('TypeScript runs with enums and types', () => {
  const code = 'enum C { A = 3, B }\nconst n: number = C.B;\nconsole.log(n satisfies number)';
  expect(run('typescript', code).stdout).toBe('4\n');
});
