import type { Load } from './load-source.ts';
import type { Context } from './located.ts';

/** A file as its engine loads it; Deno takes what a hook passes on for JavaScript. */
export function plain(url: string, context: Context, next: Load): unknown {
  const loaded = next(url, context);
  return 'Deno' in globalThis && /\.json(?:[?#]|$)/.test(url)
    ? { ...(loaded as object), format: 'json' }
    : loaded;
}
