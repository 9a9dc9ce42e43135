#!/bin/sh
# Bun 1.4.5 (npm): a package with a scope that was looked for in vain is not found by the same process when it is there, until some
# package without a scope has been found. Then it is, and so is every later one. A package without a scope is found at once, and Node.js
# 24 finds both. Whoever installs packages beside a program that runs (a notebook, a plugin host, an agent) meets this as a package
# that is installed and missing.
#
# Seen: the lines of `expected` below.
set -eu
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
npm install --silent --no-audit --no-fund --prefix tools bun@1.4.5 node@24.21.0
mkdir program
cd program
cat >main.js <<'JS'
const { mkdirSync, writeFileSync } = require('node:fs');
const look = name => {
  try {
    return require(name);
  } catch {
    return 'not found';
  }
};
const put = name => {
  mkdirSync(`node_modules/${name}`, { recursive: true });
  writeFileSync(`node_modules/${name}/index.js`, `module.exports = 'found'`);
};
const said = [look('@scope/one')];
put('@scope/one');
said.push(look('@scope/one'));
put('two');
said.push(look('two'), look('@scope/one'));
put('@scope/three');
said.push(look('@scope/three'));
console.log(said.join(', '));
JS
{
  echo "bun: $(../tools/node_modules/.bin/bun --no-install main.js)"
  rm -r node_modules
  echo "node: $(../tools/node_modules/.bin/node main.js)"
} >seen
cat >expected <<'SEEN'
bun: not found, not found, found, found, found
node: not found, found, found, found, found
SEEN
diff expected seen && echo 'as it was'
