/** How long a client waits for a run's end, and the Preference-Applied header to answer with. */
export interface WaitWish {
  readonly seconds: number;
  readonly applied: string | null;
}

/** Reads `Prefer: wait=10` (RFC 7240, section 4.3, among other preferences) and `?wait=true`; null for neither. */
export function waitWish(prefer: string | undefined, query: 'true' | 'false' | undefined): WaitWish | null {
  if (query === 'true') return { seconds: Number.POSITIVE_INFINITY, applied: null };
  for (const preference of (prefer ?? '').split(',')) {
    const seconds = /^\s*wait\s*=\s*"?(\d+)"?\s*(;|$)/i.exec(preference)?.[1];
    if (seconds !== undefined) return { seconds: Number(seconds), applied: `wait=${Number(seconds)}` };
  }
  return null;
}
