/**
 * The JavaScript kernel on Bun: runs cells over one global scope and answers on a socket; see ../protocol.ts. Bundled
 * into one file with `bun build --target=bun`; imports nothing of the service but that protocol's types. It is started
 * beside that file with the workspace as its argument: Bun reads bunfig.toml, .env, package.json and tsconfig.json of
 * the directory it starts in, and what a program plants in the workspace must not keep an interpreter from starting.
 *
 * The program shares this process and can do to the kernel whatever it can do to itself: find the socket and lie about
 * its own cells, close it, or end the process. None of that reaches further than its own session: the service bounds
 * and checks every line, and time, memory and exit are measured from outside. A program that patches JSON, Array or
 * Promise may break its own context; what the kernel needs most is captured before the first cell.
 *
 * What cannot be had on Bun:
 * - An endless loop can't be interrupted, only killed.
 * - `Bun.write(Bun.stdout, …)` and `Bun.stdout.writer()` that nobody awaits may be printed after the cell's end.
 * - `Bun.stdin.stream()` is one stream for the whole process: the first cell that reads it uses it up. `Bun.stdin.text()`,
 *   process.stdin, console and node:fs read each cell's own input.
 * - Opening /dev/stdin by name waits for ever once all live input is written: it is a named pipe, and those wait for a writer.
 * - A read of standard input that an earlier cell left unfinished may take what was meant for it, not for this one.
 */
import { inspect, Transpiler } from './bun-api.ts';
import { printErrorsByStack } from './bun-errors.ts';
import { bunModules } from './bun-modules.ts';
import { listen, send } from './control.ts';
import { evaluator } from './evaluate.ts';
import { serve } from './serve.ts';
import { flushed, openInput } from './standard-streams.ts';

/** Where cells stand: imports and requires are resolved from here. */
const directory = process.argv[2] ?? process.cwd();
process.chdir(directory);
const evaluate = evaluator(directory);
const modules = bunModules(directory, evaluate);
process.argv.length = 1;
printErrorsByStack();
serve(
  {
    listen,
    send,
    openInput,
    flush: flushed,
    onStray(survive) {
      process.on('uncaughtException', survive);
      process.on('unhandledRejection', survive);
    },
    call: run => run(),
    isInterrupt: () => false,
    mend: () => Promise.resolve(true),
    onInterrupt() {},
    inspect,
    evaluate,
    strip: code =>
      new Transpiler({ loader: 'ts', target: 'node', deadCodeElimination: false }).transformSync(code),
    typedParser: () => (require('./bun-typescript.js') as typeof import('./bun-typescript.ts')).TypedParser,
    modules,
  },
  directory,
);
