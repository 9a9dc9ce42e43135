interface Property {
  readonly holder: Record<PropertyKey, unknown>;
  readonly key: PropertyKey;
  readonly value: unknown;
  readonly descriptor: PropertyDescriptor;
}

const { defineProperty, getOwnPropertyDescriptor, ownKeys, getPrototypeOf } = Reflect;

/** What reading a cell stands on, as it was before the first. */
const properties: readonly Property[] = [
  ...[Array, String, RegExp, Object, Map, Set, WeakMap].flatMap((each): object[] => [each, each.prototype]),
  getPrototypeOf([][Symbol.iterator]())!,
  getPrototypeOf(new Map()[Symbol.iterator]())!,
  getPrototypeOf(new Set()[Symbol.iterator]())!,
  Function.prototype,
].flatMap(holder =>
  ownKeys(holder).flatMap((key): Property[] => {
    const descriptor = getOwnPropertyDescriptor(holder, key)!;
    return typeof descriptor.value === 'function' && descriptor.writable && key !== 'constructor'
      ? [{ holder: holder as Property['holder'], key, value: descriptor.value, descriptor }]
      : [];
  }),
);

const GONE: PropertyDescriptor = { value: undefined, writable: true, configurable: true };

/** Runs something of ours with the language as it was, whatever a program has patched, and puts that back. */
export function withPristine<T>(run: () => T): T {
  let patched: Pick<Property, 'holder' | 'key' | 'descriptor'>[] | undefined;
  let count = 0;
  for (let i = 0; i < properties.length; i++) {
    const { holder, key, value, descriptor } = properties[i]!;
    if (holder[key] === value) continue;
    patched ??= [];
    patched[count++] = { holder, key, descriptor: getOwnPropertyDescriptor(holder, key) ?? GONE };
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
