/**
 * Loaded before a program: gives one that is an ES module the `require` that Bun gives it too. Made when it is first asked
 * for: what it takes costs Deno as much as all of its start.
 */
Object.defineProperty(globalThis, 'require', {
  get() {
    const value = process.getBuiltinModule('node:module').createRequire(`${process.cwd()}/main.js`);
    Object.defineProperty(globalThis, 'require', { value, writable: true, configurable: true });
    return value;
  },
  set(value) {
    Object.defineProperty(globalThis, 'require', { value, writable: true, configurable: true });
  },
  configurable: true,
  enumerable: false,
});
