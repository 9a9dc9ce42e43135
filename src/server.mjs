import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';
import { freshBundle } from './bundle/fresh-bundle.mjs';
import { runBundle } from './bundle/run-bundle.mjs';

// The server process as npm start runs it: server.ts, out of the one file that setup has made of it and all that it imports, or
// from the sources where there is none or one of them has changed since.

process.umask(0o077);
const directory = fileURLToPath(new URL('../node_modules/.cache/codebeaker', import.meta.url));
enableCompileCache(directory);
const bundle = freshBundle('src/server.ts');
await (bundle
  ? runBundle(bundle, { directory, resolve: name => import.meta.resolve(name) })
  : import('./server.ts'));
