#!/bin/sh
# Bun 1.4.5 (npm): its inspector, which speaks WebKit's protocol, answers `Debugger.stepOver` at an `await` at the top of a module by
# `Debugger.resumed`, and pauses no more: the program runs to its next breakpoint or to its end. At an `await` in a function it
# pauses at the next line, as Node.js's inspector does at both. A debugger for Bun has to put a breakpoint of its own behind the first kind.
#
# Seen: the lines between the two marks below.
set -eu
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund bun@1.4.5 node@24.21.0
cat >module.mjs <<'JS'
console.log('one');
await null;
console.log('three');
JS
cat >function.mjs <<'JS'
async function steps() {
  console.log('two');
  await null;
  console.log('four');
}
await steps();
JS
cat >client.mjs <<'JS'
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

/** Steps over each line of a file, from one on, and prints where it pauses until it does so no more. */
async function stepThrough(runtime, options, file, line) {
  const program = spawn(`node_modules/.bin/${runtime}`, [...options, file], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [printed, told] = ['', ''];
  program.stdout.on('data', text => (printed += text));
  program.stderr.on('data', text => (told += text));
  while (!/ws:\/\/\S+/.test(told)) await sleep(20);
  const socket = new WebSocket(/ws:\/\/\S+/.exec(told)[0]);
  await new Promise(resolve => (socket.onopen = resolve));
  const answers = new Map();
  const events = [];
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    if (message.id) answers.get(message.id)();
    else events.push(message);
  };
  const ask = (method, params = {}) =>
    new Promise(resolve => {
      answers.set(answers.size + 1, resolve);
      socket.send(JSON.stringify({ id: answers.size, method, params }));
    });
  const paused = async from => {
    for (let i = 0; i < 100; i++, await sleep(20)) {
      const event = events.slice(from).find(({ method }) => method === 'Debugger.paused');
      if (event) return event.params.callFrames[0].location.lineNumber + 1;
    }
  };
  await ask('Debugger.enable');
  await ask('Debugger.setBreakpointByUrl', { urlRegex: file.replace('.', '\\.'), lineNumber: line - 1 });
  if (runtime === 'bun') {
    await ask('Debugger.setBreakpointsActive', { active: true });
    await ask('Inspector.enable');
    await ask('Inspector.initialized');
  } else await ask('Runtime.runIfWaitingForDebugger');
  const lines = [];
  for (let at = await paused(0); at && lines.length < 3; ) {
    lines.push(at);
    const from = events.length;
    await ask('Debugger.stepOver');
    at = await paused(from);
  }
  console.log(`${runtime}, ${file}: paused at ${lines}; printed ${printed.trim().split('\n')}`);
  program.kill();
}

for (const [file, line] of [['module.mjs', 1], ['function.mjs', 2]]) {
  await stepThrough('bun', ['--inspect-wait=ws://127.0.0.1:0/x'], file, line);
  await stepThrough('node', ['--inspect-wait=127.0.0.1:0'], file, line);
}
process.exit();
JS
timeout 100 node_modules/.bin/node client.mjs >seen
cat >expected <<'SEEN'
bun, module.mjs: paused at 1,2; printed one,three
node, module.mjs: paused at 1,2,3; printed one,three
bun, function.mjs: paused at 2,3,4; printed two,four
node, function.mjs: paused at 2,3,4; printed two,four
SEEN
diff expected seen && echo 'as it was'
