import type { Load } from './load-source.ts';
import { type Context, isRequired } from './located.ts';

/**
 * A file as its engine loads it. Deno takes what a hook passes on for JavaScript, and finds nothing that a module of ES imports where
 * that is required and a hook has given its text: what is required it reads itself, which a hook leaves to it by no text.
 */
export function plain(url: string, context: Context, next: Load): unknown {
  const loaded = next(url, context) as object;
  if (!('Deno' in globalThis)) return loaded;
  if (isRequired(context)) return { ...loaded, source: null, shortCircuit: false };
  return /\.json(?:[?#]|$)/.test(url) ? { ...loaded, format: 'json' } : loaded;
}
