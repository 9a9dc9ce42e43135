/** Loaded before a program: gives one that is an ES module the `require` that Bun gives it too. */
import { createRequire } from 'node:module';

Object.defineProperty(globalThis, 'require', {
  value: createRequire(`${process.cwd()}/main.js`),
  writable: true,
  configurable: true,
  enumerable: false,
});
