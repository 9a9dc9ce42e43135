import type { Answer, RemoteObject } from '../inspector.ts';

export type Ask = (method: string, params?: object) => Promise<Answer>;

/** Of an object, properties. */
const MOST = 1000;
const STACK = 'function () { return this.stack; }';
const ENTRIES = 'function () { return [...this]; }';
/** Numbers as names are an array's elements. */
const NAMED = `function () {
  const named = { __proto__: null };
  for (const name of Object.getOwnPropertyNames(this)) if (!/^\\d+$/.test(name)) named[name] = this[name];
  return named;
}`;

/** What values of a program on WebKit hold, in the words of V8's inspector. */
export class WebKitObjects {
  readonly #ask: Ask;

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  /** Of an evaluation. */
  answer({ result, wasThrown }: { result: Answer; wasThrown?: boolean }): Answer {
    const value = this.value(result);
    return { result: value, ...(wasThrown && { exceptionDetails: { text: 'Uncaught', exception: value } }) };
  }

  value({ type, subtype, value, description, objectId, className, size }: Answer): RemoteObject {
    const counts = size !== undefined && (subtype === 'array' || subtype === 'map' || subtype === 'set');
    const isUnserializable = type === 'bigint' || (type === 'number' && String(value) !== description);
    return {
      type,
      ...(subtype && { subtype: subtype === 'array' && className !== 'Array' ? 'typedarray' : subtype }),
      ...(value !== undefined && !isUnserializable && { value }),
      ...(isUnserializable && { unserializableValue: description }),
      ...(description !== undefined && { description: counts ? `${description}(${size})` : description }),
      ...(objectId !== undefined && { objectId }),
    };
  }

  /** Something thrown, with where. */
  async error(told: Answer): Promise<RemoteObject> {
    const value = this.value(told);
    if (value.subtype !== 'error') return value;
    const { objectId } = value;
    const { result } = await this.call({ objectId, functionDeclaration: STACK, arguments: [] });
    const stack = typeof result.value === 'string' ? result.value : '';
    const { description = '' } = value;
    return stack.startsWith(description) ? { ...value, description: stack } : value;
  }

  async call({ objectId, functionDeclaration, arguments: args }: Answer): Promise<Answer> {
    const asked = { objectId, ...withLiterals(functionDeclaration, args) };
    return this.answer(await this.#ask('Runtime.callFunctionOn', asked));
  }

  async properties({ objectId, nonIndexedPropertiesOnly }: Answer): Promise<Answer> {
    const { result: named } = nonIndexedPropertiesOnly
      ? await this.call({ objectId, functionDeclaration: NAMED, arguments: [] })
      : { result: { objectId } };
    const { properties, internalProperties = [] } = await this.#ask('Runtime.getProperties', {
      objectId: named.objectId,
      ...{ ownProperties: true, fetchStart: 0, fetchCount: MOST },
    });
    const inner = internalProperties.map(({ name, value }: Answer) => ({
      name: name === 'status' || name === 'result' ? `[[Promise${capital(name)}]]` : name,
      value: value && this.value(value),
    }));
    return {
      result: this.list(properties),
      internalProperties: [...inner, ...(await this.#entries(objectId))],
    };
  }

  list(properties: Answer[]): Answer[] {
    return properties
      .filter(({ name }) => name !== '__proto__')
      .map(({ name, value, get }) => ({
        name,
        ...(value && { value: this.value(value) }),
        ...(get && { get }),
      }));
  }

  async #entries(objectId: string): Promise<Answer[]> {
    const isCollection = 'function () { return this instanceof Map || this instanceof Set; }';
    const { result } = await this.call({ objectId, functionDeclaration: isCollection, arguments: [] });
    if (result.value !== true) return [];
    const answer = await this.call({ objectId, functionDeclaration: ENTRIES, arguments: [] });
    return answer.exceptionDetails ? [] : [{ name: '[[Entries]]', value: answer.result }];
  }
}

const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1);

/** It takes values of JSON and objects alone: what is neither stands in the function. */
function withLiterals(declaration: string, args: Answer[]): Answer {
  if (!args.some(({ unserializableValue }) => unserializableValue !== undefined))
    return { functionDeclaration: declaration, arguments: args };
  const texts = args.map(({ unserializableValue }, i) => unserializableValue ?? `given[${i}]`);
  return {
    functionDeclaration: `function (...given) { return (${declaration}).call(this, ${texts.join()}); }`,
    arguments: args.map(({ unserializableValue: _, ...rest }) => rest),
  };
}
