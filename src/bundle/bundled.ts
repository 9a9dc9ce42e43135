import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freshBundle, ROOT } from './fresh-bundle.mjs';

/** The bundle of a module, also for who runs from sources: to load those takes most of a start. The module itself where there is none. */
export function bundled(main: string): string {
  const bundle = main.endsWith('.ts') ? freshBundle(relative(ROOT, main)) : null;
  return bundle === null ? main : fileURLToPath(bundle);
}
