#!/bin/sh
# Deno 2.9.6 (npm): once a `load` hook of node:module's registerHooks is there, even one that only passes on what the next one answers,
# `require` of a JSON file runs the JSON as JavaScript and ends in a SyntaxError at its first colon. Without a hook, and on Node.js 24 with
# the same hook, it is read. Adding `format: 'json'` to what is passed on cures it.
#
# So a preload that hooks modules for another purpose, such as compiling, breaks programs that have nothing to do with it.
# Seen: the lines of `expected` below.
set -eu
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
npm install --silent --no-audit --no-fund deno@2.9.6 node@24.21.0
cat >passing.mjs <<'JS'
import { registerHooks } from 'node:module';
registerHooks({ load: (url, context, next) => next(url, context) });
JS
cat >naming.mjs <<'JS'
import { registerHooks } from 'node:module';
registerHooks({
  load: (url, context, next) => ({ ...next(url, context), ...(url.endsWith('.json') && { format: 'json' }) }),
});
JS
echo '{ "version": 7 }' >data.json
echo "console.log(require('./data.json').version)" >main.cjs
deno="./node_modules/.bin/deno run --quiet --no-config -A"
first() { NO_COLOR=1 "$@" 2>&1 | head -1; }
{
  echo "deno, no hook: $(first $deno main.cjs)"
  echo "deno, a hook that passes on: $(first $deno --preload=./passing.mjs main.cjs)"
  echo "deno, a hook that names JSON: $(first $deno --preload=./naming.mjs main.cjs)"
  echo "node, a hook that passes on: $(first ./node_modules/.bin/node --import ./passing.mjs main.cjs)"
} >seen
cat >expected <<'SEEN'
deno, no hook: 7
deno, a hook that passes on: error: Uncaught (in promise) SyntaxError: Unexpected token ':'
deno, a hook that names JSON: 7
node, a hook that passes on: 7
SEEN
diff expected seen && echo 'as it was'
