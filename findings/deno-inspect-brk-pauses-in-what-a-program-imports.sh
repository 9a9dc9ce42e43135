#!/bin/sh
# Deno 2.9.6 (npm): `deno run --inspect-brk` pauses once before a program runs. If the program imports a module that Deno brings along, such as
# node:path, that pause is at line 1 of that module and not of the program, which runs to its end when it is resumed. Node.js pauses at the
# program's own first line in either case. A debugger for Deno has to step out of there, or its breakpoints come too late.
#
# Seen: the lines between the two marks below.
set -eu
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund deno@2.9.6 node@24.21.0
echo "console.log('ran');" >alone.mjs
echo "import { sep } from 'node:path'; console.log('ran', sep);" >importing.mjs
cat >client.mjs <<'JS'
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

/** Resumes a program whenever it pauses, and prints where that was. */
async function follow(runtime, options, file) {
  const program = spawn(`node_modules/.bin/${runtime}`, [...options, '--inspect-brk=127.0.0.1:0', file]);
  let [printed, told] = ['', ''];
  program.stdout.on('data', text => (printed += text));
  program.stderr.on('data', text => (told += text));
  while (!/ws:\/\/\S+/.test(told)) await sleep(20);
  const socket = new WebSocket(/ws:\/\/\S+/.exec(told)[0]);
  await new Promise(resolve => (socket.onopen = resolve));
  const [names, pauses] = [new Map(), []];
  let asked = 0;
  const ask = method => socket.send(JSON.stringify({ id: ++asked, method, params: {} }));
  socket.onmessage = ({ data }) => {
    const { method, params } = JSON.parse(data);
    if (method === 'Debugger.scriptParsed') names.set(params.scriptId, params.url.split('/').at(-1));
    if (method !== 'Debugger.paused') return;
    const { scriptId, lineNumber } = params.callFrames[0].location;
    pauses.push(`line ${lineNumber + 1} of ${names.get(scriptId)}`);
    ask('Debugger.resume');
  };
  for (const method of ['Runtime.enable', 'Debugger.enable', 'Runtime.runIfWaitingForDebugger']) ask(method);
  for (let i = 0; i < 500 && !printed; i++) await sleep(20);
  console.log(`${runtime}, ${file}: paused at ${pauses.join(', ')}; printed ${printed.trim()}`);
  program.kill();
}

for (const file of ['alone.mjs', 'importing.mjs']) {
  await follow('deno', ['run'], file);
  await follow('node', [], file);
}
process.exit();
JS
timeout 100 node_modules/.bin/node client.mjs >seen
cat >expected <<'SEEN'
deno, alone.mjs: paused at line 1 of alone.mjs; printed ran
node, alone.mjs: paused at line 1 of alone.mjs; printed ran
deno, importing.mjs: paused at line 1 of node:path; printed ran /
node, importing.mjs: paused at line 1 of importing.mjs; printed ran /
SEEN
diff expected seen && echo 'as it was'
