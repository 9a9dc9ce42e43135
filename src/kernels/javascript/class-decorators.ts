/** What a decorator is told; see https://github.com/tc39/proposal-decorators. */
interface About {
  readonly kind: string;
  readonly name: string | symbol | undefined;
  readonly metadata: object;
  addInitializer(initialize: unknown): void;
  readonly static?: boolean;
  readonly private?: boolean;
  readonly access?: object;
}

type Decorator = (value: unknown, about: About) => unknown;
type Initializer = (this: unknown, value?: unknown) => unknown;

interface Element {
  readonly decorators: readonly Decorator[];
  readonly kind: string;
  readonly isStatic: boolean;
  name: string | symbol;
  readonly access: object | null;
  readonly initializers: Initializer[];
  readonly after: Initializer[];
}

// As they were before the program.
const { apply, getOwnPropertyDescriptor, defineProperty, deleteProperty, getPrototypeOf, has } = Reflect;
const { create } = Object;
const SymbolType = Symbol;
const TypeErrorType = TypeError;

/** The order in which elements are decorated: static before others, fields last. */
const ROUNDS = [
  (each: Element) => each.isStatic && each.kind !== 'field',
  (each: Element) => !each.isStatic && each.kind !== 'field',
  (each: Element) => each.isStatic && each.kind === 'field',
  (each: Element) => !each.isStatic && each.kind === 'field',
];

/** A class that is made, as syntax/decorators.ts asks of it. */
class Decorated {
  /** By index: what a private element is now. */
  readonly made: unknown[] = [];
  readonly keys: PropertyKey[] = [];
  result: unknown;
  readonly #decorators: readonly Decorator[];
  readonly #elements: Element[] = [];
  readonly #hidden: symbol[] = [];
  readonly #announced: symbol[] = [];
  readonly #start: Initializer[] = [];
  readonly #end: Initializer[] = [];

  constructor(decorators: readonly Decorator[]) {
    this.#decorators = decorators;
  }

  decorate(
    decorators: readonly Decorator[],
    index: number,
    kind: string,
    isStatic: boolean,
    name: string | null,
    access: object | null = null,
  ): symbol {
    this.#elements[index] = {
      decorators,
      kind,
      isStatic,
      name: name ?? '',
      access,
      initializers: [],
      after: [],
    };
    const key = SymbolType();
    this.#announced[this.#announced.length] = key;
    return key;
  }

  key(index: number, value: unknown): PropertyKey {
    const key = typeof value === 'symbol' ? value : `${value as string}`;
    this.keys[index] = key;
    const element = this.#elements[index];
    if (element) element.name = key;
    return key;
  }

  hidden(index: number): symbol {
    this.#hidden[index] ??= SymbolType();
    return this.#hidden[index];
  }

  /** Called when the class has its methods and none of its static fields. */
  define(target: object, called: string | null, assign?: (value: unknown) => void): undefined {
    for (const key of this.#announced) deleteProperty(target, key);
    // Not every engine has named it by now.
    if (called !== null && (target as { name: unknown }).name === '')
      define(target, 'name', { value: called, configurable: true });
    const metadata = metadataOf(target);
    const atOnce: Initializer[] = [];
    for (const isNext of ROUNDS) {
      this.#elements.forEach((element, index) => {
        if (!isNext(element)) return;
        const initializers =
          element.kind === 'field' || element.kind === 'accessor'
            ? element.after
            : element.isStatic
              ? atOnce
              : this.#start;
        this.#apply(element, index, { target, metadata, initializers });
      });
    }
    this.result = target;
    const name = (target as { name: string }).name;
    for (let i = this.#decorators.length - 1; i >= 0; i--) {
      const { about, close } = context({ kind: 'class', name, metadata }, this.#end);
      const changed = apply(this.#decorators[i]!, undefined, [this.result, about]);
      close();
      this.result = callable(changed, 'class decorators') ?? this.result;
    }
    define(this.result as object, metadataSymbol(), { value: metadata, configurable: true, writable: true });
    assign?.(this.result);
    for (const initialize of atOnce) apply(initialize, this.result, []);
  }

  /** Before an object's own fields. */
  start(self: unknown): undefined {
    for (const initialize of this.#start) apply(initialize, self, []);
  }

  value(index: number, self: unknown, given: unknown): unknown {
    let value = given;
    for (const initialize of this.#elements[index]!.initializers) value = apply(initialize, self, [value]);
    return value;
  }

  after(index: number, self: unknown): undefined {
    for (const initialize of this.#elements[index]!.after) apply(initialize, self, []);
  }

  end(): unknown {
    for (const initialize of this.#end) apply(initialize, this.result, []);
    return this.result;
  }

  #apply(
    { decorators, kind, isStatic, name, access, initializers: values }: Element,
    index: number,
    { target, metadata, initializers }: { target: object; metadata: object; initializers: Initializer[] },
  ): void {
    const home = isStatic ? target : (target as { prototype: object }).prototype;
    const hidden = this.#hidden[index];
    const key = hidden ?? name;
    const descriptor = kind === 'field' ? null : getOwnPropertyDescriptor(home, key)!;
    const part = kind === 'getter' ? 'get' : kind === 'setter' ? 'set' : 'value';
    if (hidden) deleteProperty(home, hidden);
    if (hidden) retitle(descriptor!, kind, String(name));
    for (let i = decorators.length - 1; i >= 0; i--) {
      const about = { kind, name, metadata, static: isStatic, private: access !== null };
      const { about: told, close } = context(
        { ...about, access: access ?? accessTo(name, kind) },
        initializers,
      );
      const value =
        kind === 'accessor'
          ? { get: descriptor!.get, set: descriptor!.set }
          : descriptor
            ? descriptor[part]
            : undefined;
      const changed = apply(decorators[i]!, undefined, [value, told]);
      close();
      if (kind === 'accessor') changeAccessor(changed, descriptor!, values);
      else if (kind === 'field') {
        const initialize = callable(changed, 'field decorators');
        if (initialize) values.unshift(initialize as Initializer);
      } else
        (descriptor as unknown as Record<string, unknown>)[part] =
          callable(changed, `${kind} decorators`) ?? value;
    }
    if (!descriptor) return;
    if (hidden) this.made[index] = kind === 'accessor' ? descriptor : descriptor[part];
    else define(home, name, descriptor);
  }
}

/** A private element's functions are called after it. */
function retitle({ get, set, value }: PropertyDescriptor, kind: string, name: string): void {
  const title = (it: unknown, text: string) => it && define(it, 'name', { value: text, configurable: true });
  if (kind === 'method') title(value, name);
  if (kind === 'getter' || kind === 'accessor') title(get, `get ${name}`);
  if (kind === 'setter' || kind === 'accessor') title(set, `set ${name}`);
}

function changeAccessor(changed: unknown, descriptor: PropertyDescriptor, values: Initializer[]): void {
  if (changed === undefined) return;
  if (changed === null || typeof changed !== 'object')
    throw new TypeErrorType('Accessor decorators must return an object or undefined');
  const { get, set, init } = changed as Record<string, unknown>;
  descriptor.get = (callable(get, 'accessor.get') as () => unknown) ?? descriptor.get;
  descriptor.set = (callable(set, 'accessor.set') as () => void) ?? descriptor.set;
  const initialize = callable(init, 'accessor.init');
  if (initialize) values.unshift(initialize as Initializer);
}

function callable(value: unknown, who: string): unknown {
  if (value === undefined || typeof value === 'function') return value;
  throw new TypeErrorType(`${who[0]!.toUpperCase()}${who.slice(1)} must return a function or undefined`);
}

function accessTo(name: PropertyKey, kind: string): object {
  type Held = Record<PropertyKey, unknown>;
  const get = (self: Held) => self[name];
  const set = (self: Held, value: unknown) => {
    self[name] = value;
  };
  return {
    has: (self: object) => has(self, name),
    ...(kind === 'setter' ? {} : { get }),
    ...(kind === 'getter' || kind === 'method' ? {} : { set }),
  };
}

function context(about: Omit<About, 'addInitializer'>, initializers: Initializer[]) {
  let isOpen = true;
  const addInitializer = (initialize: unknown) => {
    if (!isOpen) throw new TypeErrorType('Cannot add initializers after decoration has completed');
    if (typeof initialize !== 'function') throw new TypeErrorType('An initializer must be a function');
    initializers.push(initialize as Initializer);
  };
  const close = () => {
    isOpen = false;
  };
  return { about: { ...about, addInitializer }, close };
}

function metadataSymbol(): symbol {
  type WithMetadata = { metadata?: symbol };
  const { metadata } = SymbolType as WithMetadata;
  if (metadata) return metadata;
  const made = SymbolType.for('Symbol.metadata');
  define(SymbolType, 'metadata', { value: made });
  return made;
}

function metadataOf(target: object): object {
  const parent = getPrototypeOf(target) as Record<symbol, unknown> | null;
  return create((parent?.[metadataSymbol()] as object | undefined) ?? null) as object;
}

function define(target: object, key: PropertyKey, descriptor: PropertyDescriptor): void {
  if (!defineProperty(target, key, descriptor))
    throw new TypeErrorType(`Cannot redefine property: ${String(key)}`);
}

/** Makes a decorated class: `decorators` are its own, `make` is given what its body asks of. */
export function decorateClass(
  decorators: readonly Decorator[],
  make: (decorated: Decorated) => unknown,
  awaits = false,
): unknown {
  const decorated = new Decorated(decorators);
  const made = make(decorated);
  return awaits ? (made as Promise<unknown>).then(() => decorated.end()) : decorated.end();
}
