#!/bin/sh
# json-rpc-2.0 1.8.1 (npm) answers two of the examples that the JSON-RPC 2.0 specification prints (section 7,
# https://www.jsonrpc.org/specification#examples) otherwise than the specification does. Both are valid JSON.
#
#   request                                              the specification's answer                the library's
#   {"jsonrpc": "2.0", "method": 1, "params": "bar"}     an error -32600 with "id": null           null: none at all
#   [1]                                                  an array that holds one error -32600      the error without its array
#
# A client that waits for an answer to the first waits for ever; one that expects an array for its batch meets an object. [1,2,3], the
# example after it, comes as an array, so that only a batch of one shows it.
# Seen with Node.js 24: the lines between the two marks below.
set -eu
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
npm install --silent --no-audit --no-fund json-rpc-2.0@1.8.1
cat >try.cjs <<'JS'
const { JSONRPCServer } = require('json-rpc-2.0');
const server = new JSONRPCServer();
const texts = ['{"jsonrpc": "2.0", "method": 1, "params": "bar"}', '[1]', '[1,2]'];
(async () => {
  for (const text of texts) console.log(text, '=>', JSON.stringify(await server.receiveJSON(text)));
})();
JS
node try.cjs >seen
cat >expected <<'SEEN'
{"jsonrpc": "2.0", "method": 1, "params": "bar"} => null
[1] => {"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"Invalid Request"}}
[1,2] => [{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"Invalid Request"}},{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"Invalid Request"}}]
SEEN
diff expected seen && echo 'as it was'
