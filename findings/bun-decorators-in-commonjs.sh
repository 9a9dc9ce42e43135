#!/bin/sh
# Bun 1.4.5 (npm) can't start a CommonJS file that has a decorator or an accessor of a class: it lowers both by an import of its own
# helpers, writes that into a file which it then reads as CommonJS, and refuses what it has written itself. The message names a line of
# the written text, which the file need not have, and a token that is not in it. One import or export anywhere makes the same
# class run, because the file is then a module.
#
# TypeScript's `import a = require('a')` and `export =` make a file CommonJS, so that classes with decorators and these don't mix.
# Seen: the lines between the two marks below.
set -eu
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
npm install --silent --no-audit --no-fund bun@1.4.5
cat >accessor.cjs.js <<'JS'
class Counter {
  accessor count = 5;
}
module.exports = Counter;
console.log(new Counter().count);
JS
cat >decorator.ts <<'TS'
import path = require('node:path');
function seen(method: unknown, context: { kind: string }) {}
class Counter {
  @seen count() {
    return path.sep;
  }
}
console.log(new Counter().count());
TS
{
  cat decorator.ts
  echo 'export {};'
} >module.ts
for file in accessor.cjs.js decorator.ts module.ts; do
  echo "$file: $(./node_modules/.bin/bun "$file" 2>&1 | head -1)"
done >seen
cat >expected <<'SEEN'
accessor.cjs.js: SyntaxError: Unexpected token '{'. import call expects one or two arguments.
decorator.ts: SyntaxError: Unexpected token '{'. import call expects one or two arguments.
module.ts: /
SEEN
diff expected seen && echo 'as it was'
