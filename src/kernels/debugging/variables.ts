import type { CallFrame, Inspector, RemoteObject } from './inspector.ts';
import { elementsOf, shown, thrown } from './values.ts';

/** Of an object that is not read piece by piece. */
const MOST_SHOWN = 1000;
/** Fewer elements come with what else an array has. */
const PAGED_FROM = 100;
const SCOPES: Readonly<Record<string, string>> = {
  local: 'Local',
  closure: 'Closure',
  catch: 'Catch',
  block: 'Block',
  with: 'With',
  eval: 'Eval',
  script: 'Script',
  module: 'Module',
  'wasm-expression-stack': 'WebAssembly',
  global: 'Global',
};
const TAKE_ELEMENTS = `function (start, count) {
  const taken = { __proto__: null };
  for (let i = start; i < start + count && i < this.length; i++) taken[i] = this[i];
  return taken;
}`;
const SET = 'function (name, value) { this[name] = value; return this[name]; }';

export interface Variable {
  readonly name: string;
  readonly value: string;
  readonly type: string;
  readonly variablesReference: number;
  readonly namedVariables?: number;
  readonly indexedVariables?: number;
}

export interface Wish {
  readonly filter?: 'indexed' | 'named';
  readonly start?: number;
  readonly count?: number;
}

interface Container {
  readonly object: RemoteObject;
  /** It is a scope of this frame. */
  readonly frame?: CallFrame;
  readonly scopeNumber?: number;
}

/** A value can't be set; the message says why. */
export class NotSet extends Error {
  override readonly name = 'NotSet';
}

/** What a stopped program's variables hold, by numbers that are good until it goes on. */
export class Variables {
  readonly #inspector: Inspector;
  readonly #containers = new Map<number, Container>();

  constructor(inspector: Inspector) {
    this.#inspector = inspector;
  }

  forget(): void {
    this.#containers.clear();
  }

  scopes(frame: CallFrame) {
    return frame.scopeChain.map(({ type, object, name }, scopeNumber) => ({
      name: type === 'closure' && name ? `Closure (${name})` : (SCOPES[type] ?? type),
      ...(type === 'local' && { presentationHint: 'locals' }),
      expensive: type === 'global',
      variablesReference: this.#keep({ object, frame, scopeNumber }),
    }));
  }

  /** How a value is shown, and by which number what it holds. */
  of(name: string, value: RemoteObject): Variable {
    const elements = elementsOf(value);
    return {
      name,
      value: shown(value),
      type: value.subtype ?? value.type,
      variablesReference: value.objectId === undefined ? 0 : this.#keep({ object: value }),
      ...(elements >= PAGED_FROM && { indexedVariables: elements, namedVariables: 1 }),
    };
  }

  async list(reference: number, { filter, start = 0, count = 0 }: Wish): Promise<Variable[]> {
    const { object, frame, scopeNumber } = this.#get(reference);
    const elements = elementsOf(object);
    const paged = elements >= PAGED_FROM;
    if (paged && filter !== 'named') {
      const most = Math.min(count || elements, MOST_SHOWN);
      return this.#properties(await this.#elements(object, start, most), false);
    }
    const found = await this.#properties(object, paged);
    const own = frame && scopeNumber === 0 ? [this.of('this', frame.this)] : [];
    const all = [...own, ...found];
    return count || start ? all.slice(start, start + (count || MOST_SHOWN)) : all.slice(0, MOST_SHOWN);
  }

  /** @throws {NotSet | InspectorError} */
  async set(reference: number, name: string, expression: string, frames: readonly CallFrame[]) {
    const { object, frame, scopeNumber } = this.#get(reference);
    const value = await this.evaluate(expression, frame ?? frames[0]);
    const argument = argumentOf(value);
    if (!frame) {
      const { objectId } = object;
      const args = [{ value: name }, argument];
      const asked = { objectId, functionDeclaration: SET, arguments: args };
      const { result, exceptionDetails } = await this.#inspector.ask('Runtime.callFunctionOn', asked);
      if (exceptionDetails) throw new NotSet(thrown(exceptionDetails));
      return this.of(name, result);
    }
    const { callFrameId } = frame;
    await this.#inspector.ask('Debugger.setVariableValue', {
      ...{ scopeNumber, variableName: name, newValue: argument, callFrameId },
    });
    // V8 says of a constant too that it has set it.
    const now = await this.evaluate(name, frame);
    if (shown(now) !== shown(value)) throw new NotSet(`${name} can't be set: it is a constant`);
    return this.of(name, now);
  }

  /** In a frame, or of the program as a whole. @throws {NotSet} what it throws */
  async evaluate(expression: string, frame?: CallFrame, more: object = {}): Promise<RemoteObject> {
    const asked = { expression, silent: true, timeout: 5000, ...more };
    const { result, exceptionDetails } = frame
      ? await this.#inspector.ask('Debugger.evaluateOnCallFrame', {
          ...asked,
          callFrameId: frame.callFrameId,
        })
      : await this.#inspector.ask('Runtime.evaluate', { ...asked, replMode: true, awaitPromise: true });
    if (exceptionDetails) throw new NotSet(thrown(exceptionDetails));
    return result;
  }

  async #elements({ objectId }: RemoteObject, start: number, count: number): Promise<RemoteObject> {
    const args = [{ value: start }, { value: count }];
    const asked = { objectId, functionDeclaration: TAKE_ELEMENTS, arguments: args };
    return (await this.#inspector.ask('Runtime.callFunctionOn', asked)).result;
  }

  async #properties({ objectId }: RemoteObject, onlyNamed: boolean): Promise<Variable[]> {
    const asked = { objectId, ownProperties: true, nonIndexedPropertiesOnly: onlyNamed };
    const { result, internalProperties = [] } = await this.#inspector.ask('Runtime.getProperties', asked);
    const inner = internalProperties.filter(({ name }: { name: string }) =>
      /^\[\[(?:Entries|Promise)/.test(name),
    );
    return [...result, ...inner].slice(0, MOST_SHOWN).map(({ name, value, get }) => {
      if (value) return this.of(name, value);
      return { name, value: get ? '(getter)' : '(not set yet)', type: 'accessor', variablesReference: 0 };
    });
  }

  #keep(container: Container): number {
    const reference = this.#containers.size + 1;
    this.#containers.set(reference, container);
    return reference;
  }

  #get(reference: number): Container {
    const container = this.#containers.get(reference);
    if (!container) throw new NotSet('The program has gone on since');
    return container;
  }
}

function argumentOf({ objectId, unserializableValue, value }: RemoteObject) {
  if (objectId !== undefined) return { objectId };
  return unserializableValue !== undefined ? { unserializableValue } : { value };
}
