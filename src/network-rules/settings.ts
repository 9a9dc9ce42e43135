import { isIP } from 'node:net';
import type { Ceiling } from './policy.ts';
import { BadRule, parseRule, type Rule } from './rule.ts';

/** Words that an operator may use in place of rules. */
const OFF = 'off';
const PUBLIC = 'public';
/** Any name, and any address; private ones are another matter (policy.ts). */
const EVERYWHERE = ['*:1-65535', '0.0.0.0/0:1-65535', '[::/0]:1-65535'];

/** Whether a text can be one of `CODEBEAKER_NETWORK`. */
export function isCeiling(text: string): boolean {
  return text === OFF || text === PUBLIC || ruleOf(text.replace(/^!/, '')) !== null;
}

/** Whether a text can be one of `CODEBEAKER_NETWORK_PRIVATE`: private addresses are opened by address alone. */
export function isBlockRule(text: string): boolean {
  return ruleOf(text)?.target.kind === 'block';
}

/** Whether a text can be one of `CODEBEAKER_NETWORK_RESOLVERS`. */
export function isResolver(text: string): boolean {
  const [, six, four, port = '53'] = /^(?:\[(.*)\]|([^:]*))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const address = six ?? four ?? text;
  return isIP(address) > 0 && Number(port) >= 1 && Number(port) <= 65_535;
}

/** What the operator allows; null where there is no network. */
export function ceilingOf(network: readonly string[], networkPrivate: readonly string[]): Ceiling | null {
  const allowed = network.filter(text => text !== OFF && !text.startsWith('!'));
  if (network.includes(OFF) || allowed.length === 0) return null;
  return {
    allow: allowed.flatMap(text => (text === PUBLIC ? EVERYWHERE : [text])),
    deny: network.filter(text => text.startsWith('!')).map(text => text.slice(1)),
    private: networkPrivate,
  };
}

/** What a client is allowed who asks for all there is: what the operator lists, and of everywhere the web. */
export function allOf(ceiling: Ceiling): string[] {
  const own = ceiling.allow.filter(text => !EVERYWHERE.includes(text));
  return ceiling.allow.includes(EVERYWHERE[0]!) ? ['*', ...own] : own;
}

function ruleOf(text: string): Rule | null {
  try {
    return parseRule(text);
  } catch (error) {
    if (error instanceof BadRule) return null;
    throw error;
  }
}
