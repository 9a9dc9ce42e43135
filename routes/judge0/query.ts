import { attributeNames } from './attributes.ts';

/** What the query of a request about submissions says. */
export interface Query {
  readonly base64: boolean;
  readonly wait: boolean;
  readonly names: readonly string[];
  readonly tokens: string | undefined;
}

/** Texts are as they are unless base64 is asked for, as Judge0's documents say. @throws {Refusal} */
export function readQuery(query: unknown): Query {
  const all = query as Readonly<Record<string, unknown>>;
  // One that is given several times counts as its last, as in Rails.
  const one = (name: string) => {
    const value = Array.isArray(all[name]) ? all[name].at(-1) : all[name];
    return typeof value === 'string' ? value : undefined;
  };
  return {
    base64: one('base64_encoded') === 'true',
    wait: one('wait') === 'true',
    names: attributeNames(one('fields')),
    tokens: one('tokens'),
  };
}
