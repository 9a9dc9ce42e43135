import type { Address, Block } from './address.ts';
import { hasPort, matchesAddress, matchesName, parseRule, type Rule, within } from './rule.ts';
import { isSpecial } from './special-address.ts';

/** Rules as they are written, as they travel between processes. */
export interface PolicyTexts {
  readonly allow: readonly string[];
  readonly deny: readonly string[];
}

/** The operator's word, above every client's. */
export interface Ceiling extends PolicyTexts {
  /** Private addresses that may be reached all the same, by blocks and ports. */
  readonly private: readonly string[];
}

/** Listeners of one sandbox, a port each. */
export const MAX_PORTS = 64;

/**
 * Where one sandbox may connect to. Of rules that disagree the one that denies wins; nothing is allowed that the operator does not allow.
 * Pure: it looks up nothing.
 */
export class Policy {
  readonly #allow: readonly Rule[];
  readonly #deny: readonly Rule[];
  readonly #ceiling: readonly Rule[];
  readonly #private: readonly Rule[];
  readonly #own: readonly Block[];

  /** `own`: addresses of this machine. @throws {BadRule} */
  constructor({ allow, deny }: PolicyTexts, ceiling: Ceiling, own: readonly Block[] = []) {
    this.#allow = allow.map(parseRule);
    this.#deny = [...deny, ...ceiling.deny].map(parseRule);
    this.#ceiling = ceiling.allow.map(parseRule);
    this.#private = ceiling.private.map(parseRule);
    this.#own = own;
  }

  /** Whether some port of a name is allowed: programs learn of no other name. */
  knowsName(name: string): boolean {
    // Once for each rule, and not for each port: programs ask as often as they like.
    const [allow, deny, ceiling] = [this.#allow, this.#deny, this.#ceiling].map(rules =>
      rules.filter(rule => matchesName(rule, name)),
    ) as [Rule[], Rule[], Rule[]];
    const leads = (rules: readonly Rule[], port: number) => rules.some(rule => hasPort(rule, port));
    return portsOf(allow).some(port => !leads(deny, port) && leads(ceiling, port));
  }

  allowsName(name: string, port: number): boolean {
    return this.#allows(rule => matchesName(rule, name) && hasPort(rule, port));
  }

  /** Of one that a program connects to without a name. Whether it may be dialled is another question. */
  allowsAddress(address: Address, port: number): boolean {
    return this.#allows(rule => matchesAddress(rule, address) && hasPort(rule, port));
  }

  /** Whether an address that a name or a program means may be dialled. */
  mayDial(address: Address, port: number): boolean {
    const here = (rule: Rule) => matchesAddress(rule, address) && hasPort(rule, port);
    if (this.#deny.some(here)) return false;
    return !isSpecial(address, this.#own) || this.#private.some(here);
  }

  #allows(matches: (rule: Rule) => boolean): boolean {
    return !this.#deny.some(matches) && this.#allow.some(matches) && this.#ceiling.some(matches);
  }
}

/** Ports that rules name, each once, up to one more than there may be. */
export function portsOf(rules: readonly Rule[]): number[] {
  const ports = new Set<number>();
  for (const { first, last } of rules.flatMap(rule => rule.ports))
    for (let port = first; port <= last && ports.size <= MAX_PORTS; port++) ports.add(port);
  return [...ports];
}

/** The first rule that asks for more than the operator allows; null for none. */
export function beyond(allow: readonly string[], ceiling: Ceiling): string | null {
  const outer = ceiling.allow.map(parseRule);
  return allow.find(text => !within(parseRule(text), outer)) ?? null;
}
