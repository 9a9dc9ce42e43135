import type { Answer, CallFrame, Scope } from '../inspector.ts';
import { moduleNames } from './module-names.ts';
import type { Ask, WebKitObjects } from './webkit-objects.ts';

/** What a scope's number stands for. */
interface Merged {
  readonly objectIds: readonly string[];
  /** Whose names at the top are not told, and from where they are seen; null where there are none. */
  readonly module: { readonly scriptId: string; readonly callFrameId: string } | null;
}

const TYPES: Readonly<Record<string, string>> = {
  nestedLexical: 'block',
  functionName: 'closure',
  globalLexicalEnvironment: 'script',
};
const KEEP = `function () { globalThis[Symbol.for('codebeaker.value')] = this; }`;
const KEPT = `globalThis[Symbol.for('codebeaker.value')]`;

/**
 * The scopes of a stopped program on WebKit, as V8 has them: it makes two of a function's own, one for its parameters and one for what
 * it declares, and of a module's it tells what is imported alone, so that the other names are read from its text and asked for.
 */
export class WebKitScopes {
  readonly #ask: Ask;
  readonly #objects: WebKitObjects;
  readonly #modules = new Set<string>();
  readonly #urls = new Map<string, string>();
  readonly #names = new Map<string, Promise<readonly string[]>>();

  constructor(ask: Ask, objects: WebKitObjects) {
    this.#ask = ask;
    this.#objects = objects;
  }

  add({ scriptId, scriptType, url }: Answer): void {
    this.#urls.set(scriptId, url);
    if (scriptType === 'module') this.#modules.add(scriptId);
  }

  frame(told: Answer): CallFrame {
    const { callFrameId, functionName, location } = told;
    return {
      callFrameId,
      functionName,
      location,
      scopeChain: this.#chain(told),
      this: this.#objects.value(told.this),
    };
  }

  isScope(objectId: string): boolean {
    return objectId.startsWith('{"objectIds"');
  }

  async properties(objectId: string): Promise<Answer> {
    const { objectIds, module } = JSON.parse(objectId) as Merged;
    const each = objectIds.map(id =>
      this.#ask('Runtime.getProperties', { objectId: id, ownProperties: true }),
    );
    const told = (await Promise.all(each)).flatMap(({ properties }) => this.#objects.list(properties));
    const result = told.filter(({ name }) => name !== 'arguments');
    return { result: [...result, ...(module ? await this.#ofModule(module, result) : [])] };
  }

  /** An assignment in the frame, since it has no other way. */
  async set(
    callFrameId: string,
    name: string,
    { objectId, unserializableValue, value }: Answer,
  ): Promise<object> {
    if (objectId !== undefined)
      await this.#ask('Runtime.callFunctionOn', { objectId, functionDeclaration: KEEP, arguments: [] });
    const text = objectId === undefined ? (unserializableValue ?? JSON.stringify(value)) : KEPT;
    const expression = `${name} = ${text}`;
    // What it throws is told by the value, which then is as it was.
    await this.#ask('Debugger.evaluateOnCallFrame', {
      callFrameId,
      expression,
      doNotPauseOnExceptionsAndMuteConsole: true,
    });
    return {};
  }

  #chain({ callFrameId, functionName, location: { scriptId }, scopeChain }: Answer): Scope[] {
    const groups: Answer[][] = [];
    for (const scope of scopeChain) {
      const last = groups.at(-1)?.[0];
      if (last && isSame(last, scope)) groups.at(-1)!.push(scope);
      else groups.push([scope]);
    }
    const own = groups.findIndex(([scope]) => scope.type === 'closure');
    return groups.flatMap((group, i) => {
      const [{ type, name, location }] = group as [Answer];
      const isModules = type === 'closure' && !location && this.#modules.has(scriptId);
      // A module's classes are told as a block around it.
      if (name !== undefined && name === this.#urls.get(scriptId)) return [];
      const isOwn = i === own && !isModules && (name ?? '') === functionName;
      if (!isModules && !isOwn && group.every(({ empty }) => empty)) return [];
      const objectIds = group.map(({ object }) => object.objectId);
      const merged: Merged = { objectIds, module: isModules ? { scriptId, callFrameId } : null };
      const shown = isModules ? 'module' : isOwn ? 'local' : (TYPES[type] ?? type);
      const objectId = type === 'global' ? objectIds[0] : JSON.stringify(merged);
      return [{ type: shown, object: { type: 'object', objectId }, ...(name && { name }) }];
    });
  }

  async #ofModule(
    { scriptId, callFrameId }: NonNullable<Merged['module']>,
    told: Answer[],
  ): Promise<Answer[]> {
    const known = new Set(told.map(({ name }) => name));
    const names = (await this.#namesOf(scriptId)).filter(name => !known.has(name));
    // One that has no value yet throws.
    const reads = names.map(name => `try { all.${name} = ${name} } catch {}`);
    const expression = `(() => { const all = { __proto__: null }; ${reads.join(';')}; return all })()`;
    const asked = { callFrameId, expression, doNotPauseOnExceptionsAndMuteConsole: true };
    const { result } = await this.#ask('Debugger.evaluateOnCallFrame', asked);
    const { properties } = await this.#ask('Runtime.getProperties', {
      objectId: result.objectId,
      ownProperties: true,
    });
    const found = this.#objects.list(properties);
    const missing = names.filter(name => !found.some(each => each.name === name));
    return [...found, ...missing.map(name => ({ name }))];
  }

  #namesOf(scriptId: string): Promise<readonly string[]> {
    const known = this.#names.get(scriptId);
    if (known) return known;
    const names = this.#ask('Debugger.getScriptSource', { scriptId }).then(({ scriptSource }) =>
      moduleNames(scriptSource),
    );
    this.#names.set(scriptId, names);
    return names;
  }
}

/** Scopes of one function, which lie at the same place. */
function isSame(one: Answer, other: Answer): boolean {
  const place = ({ name, location }: Answer) => JSON.stringify([name, location]);
  return (
    one.type === 'closure' && other.type === 'closure' && Boolean(one.location) && place(one) === place(other)
  );
}
