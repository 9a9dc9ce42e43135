/** Gives a program that is an ES module the `require` that Bun gives it too. */
export function provideRequire(): void {
  const settings = { configurable: true, enumerable: false };
  const replace = (value: unknown) =>
    Object.defineProperty(globalThis, 'require', { value, writable: true, ...settings });
  Object.defineProperty(globalThis, 'require', {
    // Made when it is first asked for: what it takes costs Deno as much as all of its start.
    get() {
      const value = process.getBuiltinModule('node:module').createRequire(`${process.cwd()}/main.js`);
      replace(value);
      return value;
    },
    set: replace,
    ...settings,
  });
}
