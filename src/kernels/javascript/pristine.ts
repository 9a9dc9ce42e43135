interface Property {
  readonly holder: object;
  readonly key: PropertyKey;
  readonly descriptor: PropertyDescriptor;
}

const { defineProperty, getOwnPropertyDescriptor, ownKeys, getPrototypeOf } = Reflect;

/** What reading a cell stands on, as it was before the first. */
const properties: readonly Property[] = [
  ...[Array, String, RegExp, Object, Map, Set, WeakMap, Number, Error].flatMap(each => [
    each,
    each.prototype,
  ]),
  getPrototypeOf([][Symbol.iterator]())!,
  getPrototypeOf(new Map()[Symbol.iterator]())!,
  getPrototypeOf(new Set()[Symbol.iterator]())!,
  Function.prototype,
  Math,
].flatMap(holder =>
  ownKeys(holder).flatMap((key): Property[] => {
    const descriptor = getOwnPropertyDescriptor(holder, key)!;
    // That one is ours to set.
    if (key === 'prepareStackTrace') return [];
    return typeof descriptor.value === 'function' && descriptor.writable ? [{ holder, key, descriptor }] : [];
  }),
);

const GONE: PropertyDescriptor = { value: undefined, writable: true, configurable: true };

/** Runs something of ours with the language as it was, whatever a program has patched, and puts that back. */
export function withPristine<T>(run: () => T): T {
  let patched: Property[] | undefined;
  let count = 0;
  for (let i = 0; i < properties.length; i++) {
    const { holder, key, descriptor } = properties[i]!;
    const now = getOwnPropertyDescriptor(holder, key);
    if (now?.value === descriptor.value) continue;
    patched ??= [];
    patched[count++] = { holder, key, descriptor: now ?? GONE };
    defineProperty(holder, key, descriptor);
  }
  try {
    return run();
  } finally {
    for (let i = 0; i < count; i++) {
      const { holder, key, descriptor } = patched![i]!;
      defineProperty(holder, key, descriptor);
    }
  }
}
