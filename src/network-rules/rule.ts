import { type Address, type Block, contains, covers as coversBlock, parseBlock } from './address.ts';
import { canonicalName } from './host-name.ts';

/** Where a rule leads: to any name, one name, names below one, or addresses. */
export type Target =
  | { readonly kind: 'any' }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'below'; readonly zone: string }
  | { readonly kind: 'block'; readonly block: Block };

/** Both ends included. */
export interface Ports {
  readonly first: number;
  readonly last: number;
}

export interface Rule {
  /** As it was written. */
  readonly text: string;
  readonly target: Target;
  readonly ports: readonly Ports[];
}

/** Where a rule names no port: HTTP and HTTPS. */
const DEFAULT_PORTS: readonly Ports[] = [
  { first: 80, last: 80 },
  { first: 443, last: 443 },
];
const MAX_RULE_LENGTH = 300;

/** It is no rule; the message says why. */
export class BadRule extends Error {}

/**
 * `name`, `*.name` (any depth, not the name itself), `*` (any name), an address or a block `address/prefix`, each with `:port` or `:first-last`.
 * What has colons itself is written in brackets: `[2001:db8::/32]:443`. @throws {BadRule}
 */
export function parseRule(text: string): Rule {
  if (text.length > MAX_RULE_LENGTH) throw new BadRule(`has more than ${MAX_RULE_LENGTH} characters`);
  const [, bracketed, plain, ports] =
    /^(?:\[([^\]]*)\]|([^:[\]]*))(?::([\d-]*))?$/.exec(text) ?? /^()([^[\]]*:[^[\]]*)$/.exec(text) ?? [];
  const where = bracketed || plain;
  if (!where)
    throw new BadRule(
      'is no rule: name, *.name, address or address/prefix, with :port if it is not 80 and 443',
    );
  return { text, target: targetOf(where), ports: ports === undefined ? DEFAULT_PORTS : [portsOf(ports)] };
}

function targetOf(text: string): Target {
  if (text === '*') return { kind: 'any' };
  const block = parseBlock(text);
  if (block) return { kind: 'block', block };
  const below = text.startsWith('*.');
  const name = canonicalName(below ? text.slice(2) : text);
  if (name === null) throw new BadRule('names neither a host nor addresses');
  return below ? { kind: 'below', zone: name } : { kind: 'name', name };
}

function portsOf(text: string): Ports {
  const [, first = '', last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? [];
  const ports = { first: Number(first), last: Number(last) };
  if (!(ports.first >= 1 && ports.last <= 65_535 && ports.first <= ports.last))
    throw new BadRule('has no port from 1 to 65535, or range of them');
  return ports;
}

export function hasPort({ ports }: Rule, port: number): boolean {
  return ports.some(({ first, last }) => port >= first && port <= last);
}

/** `name` in its one spelling (host-name.ts). */
export function matchesName({ target }: Rule, name: string): boolean {
  if (target.kind === 'name') return target.name === name;
  return target.kind === 'any' || (target.kind === 'below' && name.endsWith(`.${target.zone}`));
}

export function matchesAddress({ target }: Rule, address: Address): boolean {
  return target.kind === 'block' && contains(target.block, address);
}

/** Whether all that `inner` allows lies within one of these rules, or several that differ in their ports. */
export function within(inner: Rule, outer: readonly Rule[]): boolean {
  const around = outer.filter(({ target }) => holds(target, inner.target)).flatMap(({ ports }) => ports);
  return inner.ports.every(({ first, last }) => {
    let next = first;
    for (const { first: from, last: to } of [...around].sort((a, b) => a.first - b.first))
      if (from <= next && to >= next) next = to + 1;
    return next > last;
  });
}

function holds(outer: Target, inner: Target): boolean {
  if (outer.kind === 'block' || inner.kind === 'block')
    return outer.kind === 'block' && inner.kind === 'block' && coversBlock(outer.block, inner.block);
  if (outer.kind === 'any') return true;
  if (outer.kind === 'name') return inner.kind === 'name' && inner.name === outer.name;
  if (inner.kind === 'any') return false;
  if (inner.kind === 'name') return inner.name.endsWith(`.${outer.zone}`);
  return inner.zone === outer.zone || inner.zone.endsWith(`.${outer.zone}`);
}
