import { resolveSync } from './bun-api.ts';
import { GIVEN } from './transform.ts';

/** Where cells stand: imports and requires are resolved from here. The first argument says it. */
const DIRECTORY = process.argv[2] ?? process.cwd();
process.chdir(DIRECTORY);
process.argv.length = 1;
const FILE = `${DIRECTORY}/[cell]`;
const { defineProperty } = Object;

type NodeModule = typeof import('node:module');

/**
 * Runs a script in the global scope. An import() in it is resolved from where the eval was called, so this eval is
 * called by a module that claims to lie in the workspace.
 */
export const evaluate = makeEvaluate();

function makeEvaluate(): (script: string) => unknown {
  const { Module } = require('node:module') as NodeModule;
  const module = new Module(FILE) as unknown as {
    _compile(code: string, file: string): void;
    exports: (script: string) => unknown;
  };
  module._compile('const run = eval; module.exports = script => run(script)', FILE);
  return module.exports;
}

/** What a CommonJS or ES module would find, as globals that a cell may replace. */
export function provideModuleScope(): void {
  const { createRequire } = require('node:module') as NodeModule;
  const module = { exports: {}, id: '.', filename: FILE, path: DIRECTORY, paths: [], loaded: false };
  const cellRequire = createRequire(FILE);
  provide('require', cellRequire);
  provide('module', module);
  provide('exports', module.exports);
  for (const name of ['__filename', GIVEN.__filename]) provide(name, FILE);
  for (const name of ['__dirname', GIVEN.__dirname]) provide(name, DIRECTORY);
  provide(GIVEN['import.meta'], {
    url: `file://${FILE}`,
    path: FILE,
    filename: FILE,
    file: '[cell]',
    dir: DIRECTORY,
    dirname: DIRECTORY,
    main: true,
    env: process.env,
    require: cellRequire,
    resolve: (specifier: string) => `file://${resolveSync(specifier, DIRECTORY)}`,
    resolveSync,
  });
}

function provide(name: string, value: unknown): void {
  defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
}
