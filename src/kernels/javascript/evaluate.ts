type NodeModule = typeof import('node:module');

/**
 * Runs scripts in the global scope. An import() in one is resolved from where the eval was called, so this eval is called by
 * a module that claims to lie in the workspace.
 */
export function evaluator(directory: string): (script: string) => unknown {
  const { Module } = require('node:module') as NodeModule;
  const file = `${directory}/[cell]`;
  const module = new Module(file) as unknown as {
    _compile(code: string, file: string): void;
    exports: (script: string) => unknown;
  };
  module._compile('const run = eval; module.exports = script => run(script)', file);
  return module.exports;
}
