import { utimesSync } from 'node:fs';
import { enableCompileCache, flushCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { freshBundle } from './bundle/fresh-bundle.mjs';
import { runBundle } from './bundle/run-bundle.mjs';

// The server process as npm start runs it: server.ts, out of the one file that setup has made of it and all that it imports, or
// from the sources where there is none or one of them has changed since.

process.umask(0o077);
const directory = fileURLToPath(new URL('../node_modules/.cache/codebeaker', import.meta.url));
enableCompileCache(directory);
const bundle = freshBundle('src/server.ts');
if (bundle) keepBundles(new URL('..', bundle));
await (bundle
  ? runBundle(bundle, { directory, resolve: name => import.meta.resolve(name) })
  : import('./server.ts'));
// V8 lets the heap grow by 1.1 to 4 times before it walks all of it again, by how much garbage there was lately, and by 1.1 after a rest: each
// message of 10 MB took more than that. What has been compiled is kept before, because it is taken for other code under other flags.
flushCompileCache();
setFlagsFromString('--heap-growing-percent=200');

/** Has a later setup leave what this process starts others of: it removes what nobody has marked for a day. */
function keepBundles(directory) {
  const mark = () => {
    try {
      utimesSync(directory, new Date(), new Date());
    } catch {
      // They are another user's, or on a disk that nobody writes to.
    }
  };
  mark();
  setInterval(mark, 6 * 3600 * 1000).unref();
}
