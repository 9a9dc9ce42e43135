#!/bin/sh
# Deno 2.9.6 (npm): a `resolve` hook of node:module's registerHooks gets `context.parentURL` as a plain path, which is no URL, for what is
# asked of a `require` that createRequire made from a path, as `createRequire(import.meta.filename)` does. For imports, for `require` in
# CommonJS files, and for createRequire of a URL it is a file: URL. Node.js 24 gives a URL for all four. So a hook that does
# `new URL(specifier, context.parentURL)` throws for one way of loading among four.
#
# Seen: the lines between the two marks below.
set -eu
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
npm install --silent --no-audit --no-fund deno@2.9.6 node@24.21.0
cat >hooks.mjs <<'JS'
import { registerHooks } from 'node:module';
registerHooks({
  resolve(specifier, context, next) {
    if (specifier.startsWith('./')) console.log(`  ${specifier}: ${URL.canParse(context.parentURL) ? 'a URL' : 'no URL'}`);
    return next(specifier, context);
  },
});
JS
echo 'export const a = 1;' >imported.mjs
echo 'module.exports = 1;' >inner.cjs
echo "module.exports = require('./inner.cjs');" >by-url.cjs
echo 'module.exports = 2;' >by-path.cjs
cat >main.mjs <<'JS'
import './hooks.mjs';
import { createRequire } from 'node:module';
await import('./imported.mjs');
createRequire(import.meta.url)('./by-url.cjs');
createRequire(import.meta.filename)('./by-path.cjs');
JS
{
  echo Deno
  ./node_modules/.bin/deno run --allow-all main.mjs
  echo Node.js
  ./node_modules/.bin/node main.mjs
} >seen
cat >expected <<'SEEN'
Deno
  ./imported.mjs: a URL
  ./by-url.cjs: a URL
  ./inner.cjs: a URL
  ./by-path.cjs: no URL
Node.js
  ./imported.mjs: a URL
  ./by-url.cjs: a URL
  ./inner.cjs: a URL
  ./by-path.cjs: a URL
SEEN
diff expected seen && echo 'as it was'
