import { decorateClass } from './class-decorators.ts';
import type { Modules } from './host.ts';
import { DECORATE } from './syntax/decorators.ts';
import { GIVEN, type Kind, type Script } from './transform.ts';

// As they were before a cell could replace them.
const { defineProperty, getOwnPropertyDescriptor, deleteProperty } = Reflect;
const { hasOwn } = Object;
const { captureStackTrace } = Error;
const ReferenceErrorType = ReferenceError;
const SyntaxErrorType = SyntaxError;
const TypeErrorType = TypeError;
const ProxyType = Proxy;
const scope = globalThis as unknown as Record<string, unknown>;

/** What cells have declared, by its last declaration. */
const kinds = new Map<string, Kind>();
/** Names that are constant now. */
export const constants = new Set<string>();
/** Names whose declaration has not run yet. */
const pending = new Set<string>();
let result: unknown;

/** What a module finds, and what scripts of cells stand on, as globals that a cell may replace. */
export function provideScope({ require, meta, import: importModule }: Modules, directory: string): void {
  const file = `${directory}/[cell]`;
  const module = { exports: {}, id: '.', filename: file, path: directory, paths: [], loaded: false };
  provide('require', require);
  provide('module', module);
  provide('exports', module.exports);
  provide('__filename', file);
  provide('__dirname', directory);
  provide(GIVEN.import, importModule);
  provide(GIVEN.meta, meta);
  provide(GIVEN.declared, new ProxyType({}, { set: (_, name, value) => initialise(name as string, value) }));
  provide(GIVEN.constant, new ProxyType({}, { get: (_, name) => scope[name as string], set: setConstant }));
  provide(GIVEN.result, {
    set value(value: unknown) {
      result = value;
    },
  });
  provide(DECORATE, decorateClass);
}

/** Makes room for a cell's names: what was declared before under one of them is gone. */
export function declare(names: ReadonlyMap<string, Kind>): void {
  for (const name of names.keys()) {
    if (getOwnPropertyDescriptor(scope, name)?.configurable === false)
      throw new SyntaxErrorType(`Identifier '${name}' has already been declared`);
  }
  for (const [name, kind] of names) {
    const before = kinds.get(name);
    kinds.set(name, kind);
    pending.delete(name);
    if (kind === 'const') constants.add(name);
    else constants.delete(name);
    if (kind === 'let' || kind === 'const') suspend(name);
    else if (kind === 'function') deleteProperty(scope, name);
    else if (kind === 'fresh' || !hasOwn(scope, name) || before === 'let' || before === 'const')
      set(name, undefined, kind);
  }
}

/** @throws {SyntaxError} when a module does not export what is asked of it */
export function bindImports({ imports, typescript }: Script, modules: readonly unknown[]): void {
  imports.forEach(({ specifier, names }, i) => {
    const module = modules[i] as Record<string, unknown>;
    for (const { imported, local } of names) {
      if (imported === '*') initialise(local, module);
      else bind(local, holderOf(module, imported, specifier, typescript), imported);
    }
  });
}

/** The value of the cell that has run, and none from here on. */
export function takeResult(): unknown {
  const value = result;
  result = undefined;
  return value;
}

function provide(name: string, value: unknown): void {
  defineProperty(scope, name, { value, writable: true, configurable: true, enumerable: false });
}

/** Until its declaration has run, a name can be neither read nor written. */
function suspend(name: string): void {
  pending.add(name);
  const get = () => fail(new ReferenceErrorType(`Cannot access '${name}' before initialization`), get);
  defineProperty(scope, name, { get, set: get, configurable: true, enumerable: false });
}

function initialise(name: string, value: unknown): boolean {
  pending.delete(name);
  return set(name, value, kinds.get(name));
}

function set(name: string, value: unknown, kind: Kind | undefined): boolean {
  const enumerable = kind === 'var' || kind === 'function';
  return defineProperty(scope, name, { value, writable: kind !== 'const', configurable: true, enumerable });
}

function setConstant(_: object, name: string | symbol, value: unknown): boolean {
  if (pending.has(name as string) || !constants.has(name as string)) scope[name as string] = value;
  else fail(new TypeErrorType('Assignment to constant variable.'), setConstant);
  return true;
}

function fail(error: Error, hidden: (...args: never[]) => unknown): never {
  captureStackTrace?.(error, hidden);
  throw error;
}

/** A module may change what it exports, save those that no file holds. */
function bind(name: string, module: Record<string, unknown> | null, imported: string): void {
  pending.delete(name);
  if (module === null) return void set(name, undefined, 'const');
  const isSettled = typeof module[imported] === 'function';
  if (isSettled) return void set(name, module[imported], 'const');
  const assigned = () => fail(new TypeErrorType('Assignment to constant variable.'), assigned);
  defineProperty(scope, name, {
    get: () => module[imported],
    set: assigned,
    configurable: true,
    enumerable: false,
  });
}

/** The module, or what it exports as a whole in the way of CommonJS; null for what may be a type. */
function holderOf(
  module: Record<string, unknown>,
  name: string,
  specifier: string,
  typescript: boolean,
): Record<string, unknown> | null {
  if (name in module) return module;
  const whole = module.default;
  const isObject = (typeof whole === 'object' && whole !== null) || typeof whole === 'function';
  if (isObject && name in (whole as object)) return whole as Record<string, unknown>;
  if (typescript) return null;
  throw new SyntaxErrorType(`The requested module '${specifier}' does not provide an export named '${name}'`);
}
