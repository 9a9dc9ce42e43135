import { type Context, isName, isRequired, pathOf, type Resolve, type Resolved, urlOf } from './located.ts';

const STORE = '/packages/';

/**
 * A package of the layer that is shown now, where Node.js would take the one of an earlier layer, or would not find it: it keeps where
 * links lead. Null for everything else; what a project has itself comes first.
 */
export function ofLayer(
  layer: string | null,
  specifier: string,
  context: Context,
  next: Resolve,
): Resolved | null {
  if (layer === null || 'Deno' in globalThis || !isName(specifier)) return null;
  if (pathOf(context.parentURL ?? '').startsWith(STORE)) return null;
  const before = attempt(() => next(specifier, context));
  if (before && !isEarlier(before.url, layer)) return before;
  const from = `${layer}/from-here.js`;
  return attempt(() => {
    if (!isRequired(context)) return next(specifier, { ...context, parentURL: urlOf(from) });
    const { createRequire } = process.getBuiltinModule('node:module');
    return { url: urlOf(createRequire(from).resolve(specifier)), shortCircuit: true };
  });
}

function isEarlier(url: string, layer: string): boolean {
  const path = url.startsWith('file://') ? pathOf(url) : '';
  return path.startsWith(STORE) && !path.startsWith(`${layer}/`);
}

function attempt(resolve: () => Resolved): Resolved | null {
  try {
    return resolve();
  } catch {
    return null;
  }
}
