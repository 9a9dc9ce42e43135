import type { Digest } from './artifacts.ts';

/** Why an install failed, as far as the registry's side can tell; the first that holds, in this order, says it. */
export const REASONS = [
  'digest',
  'too_large',
  'denied',
  'registry_unreachable',
  'not_found',
  'needs_build',
] as const;
export type Reason = (typeof REASONS)[number];

/** Reasons that may be gone a moment later. */
const PASSING: readonly Reason[] = ['digest', 'registry_unreachable'];

/** An artifact that was given to the installer. */
export interface Served {
  readonly digest: Digest;
  readonly bytes: number;
}

/** What went through a gateway, and what did not. */
export class Facts {
  /** By the names that its index gives them. */
  readonly served = new Map<string, Served>();
  /** Names of packages whose pages were asked for, where that is noted. */
  readonly pages = new Set<string>();
  readonly #reasons = new Map<Reason, string>();

  /** The first sentence of each reason is kept. */
  note(reason: Reason, sentence: string): void {
    if (!this.#reasons.has(reason)) this.#reasons.set(reason, sentence);
  }

  get failure(): { reason: Reason; sentence: string } | null {
    const reason = REASONS.find(each => this.#reasons.has(each));
    return reason === undefined ? null : { reason, sentence: this.#reasons.get(reason)! };
  }

  /** Something was refused that may be there for who asks again. */
  get passing(): boolean {
    return PASSING.some(each => this.#reasons.has(each));
  }
}
