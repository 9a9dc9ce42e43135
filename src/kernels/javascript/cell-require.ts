/** `require` as it is, with something done after each call. */
export function requireThen(plain: NodeJS.Require, then: () => void): NodeJS.Require {
  const require = (id: string): unknown => {
    try {
      return plain(id);
    } finally {
      then();
    }
  };
  return Object.defineProperties(require, {
    ...Object.getOwnPropertyDescriptors(plain),
    name: { value: 'require', configurable: true },
  }) as NodeJS.Require;
}
