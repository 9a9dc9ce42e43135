#!/bin/sh
# Deno 2.9.6 (npm) with --unstable-detect-cjs takes a file for CommonJS although it awaits at the top level, when the `await` stands in
# a block or a loop there, and then fails because CommonJS may not wait. What it says names neither `await` nor a line of the program,
# but a cycle that there is not. Node.js 24 runs each of these files. An `await` in no block is seen, and so is any import or export;
# `export {};` cures a program.
#
# Seen: the lines of `expected` below.
set -eu
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
npm install --silent --no-audit --no-fund --prefix tools deno@2.9.6 node@24.21.0
mkdir programs
cd programs
try() {
  printf '%s\n' "$2" >"$1.js"
  for run in "deno run --quiet --no-config --unstable-detect-cjs" node; do
    # Without colours and paths.
    said=$(NO_COLOR=1 ../tools/node_modules/.bin/$run "$1.js" 2>&1 | head -1 | sed 's#file://.*/##')
    echo "$1 on ${run%% *}: $said"
  done
}
{
  try plain 'console.log(await 1)'
  try loop 'for (let i = 0; i < 1; i++) console.log(await 1)'
  try condition 'if (true) { console.log(await 1) }'
  try attempt 'try { console.log(await 1) } catch {}'
  try exported 'export {}; if (true) { console.log(await 1) }'
} >seen
cat >expected <<'SEEN'
plain on deno: 1
plain on node: 1
loop on deno: error: Uncaught (in promise) Error: Cannot require() ES Module loop.js in a cycle.
loop on node: 1
condition on deno: error: Uncaught (in promise) Error: Cannot require() ES Module condition.js in a cycle.
condition on node: 1
attempt on deno: error: Uncaught (in promise) Error: Cannot require() ES Module attempt.js in a cycle.
attempt on node: 1
exported on deno: 1
exported on node: 1
SEEN
diff expected seen && echo 'as it was'
