import fs from 'node:fs';
import module from 'node:module';
import { Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import util from 'node:util';
import { constants, Script } from 'node:vm';
import { CONTROL, type Host } from '../host.ts';
import type { TypedParser } from '../syntax/typed-parser.ts';
import { flush, LineCutter } from './control.ts';
import { v8Modules } from './modules.ts';

// As they were before a cell could replace them.
const { closeSync, createReadStream, openSync, readSync, unlinkSync, writeSync } = fs;
const { stripTypeScriptTypes } = module;
const { inspect } = util;
const sleep = setTimeout;
const ErrorType = Error;
const RETRY_MS = 1;
const MEND_MS = 200;
const { assign } = Object;
const { set } = Reflect;

/** What a script that SIGINT ended throws. */
const INTERRUPTED = 'ERR_SCRIPT_EXECUTION_INTERRUPTED';
/** The global that runs a cell; see `GIVEN` (../transform.ts). */
const RUN = '__cellRun';
/** What a cell throws that was interrupted before it began. */
const EARLY = Symbol('interrupted');
/** Room for what the service may say while a cell is read. */
const received = Buffer.alloc(4096);

export function nodeHost(directory: string, typedParser: () => typeof TypedParser): Host {
  // Nothing of a cell moves (../syntax/edits.ts), and to look for a map in each costs as much as to read it.
  process.setSourceMapsEnabled(false);
  // What they import is looked for from where cells stand.
  const inWorkspace = (script: string) =>
    new Script(script, {
      filename: `${directory}/[cell]`,
      importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    }).runInThisContext();
  const { exit } = process;
  const waiting = new Int32Array(new SharedArrayBuffer(4));
  const { wait } = Atomics;
  let input: unknown;
  let renewing = false;
  let lines: LineCutter | undefined;
  let begun = false;
  // The service says nothing else before the cell has ended.
  const isInterrupted = (cell: number) => {
    lines!.hold(readNow());
    return lines!.holds(`{"interrupt":${cell}}`);
  };
  const callInterruptible = interruptible(`${directory}/[cell]`);
  return {
    listen(heard) {
      lines = new LineCutter(heard);
      const control = new Socket({ fd: CONTROL, readable: true, writable: true });
      const gone = () => exit(0);
      control.setEncoding('utf8').on('data', (text: string) => lines!.push(text));
      control.on('end', gone).on('close', gone).on('error', gone);
    },
    send(line) {
      let data = Buffer.from(`${line}\n`);
      while (data.length > 0) {
        try {
          data = data.subarray(writeSync(CONTROL, data));
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') exit(0);
          wait(waiting, 0, 0, RETRY_MS);
        }
      }
    },
    openInput(path) {
      const fed = path !== '/dev/null';
      if (fed && !renewing) {
        renewing = true;
        Object.defineProperty(process, 'stdin', {
          configurable: true,
          enumerable: true,
          get: () => (input ??= createReadStream('', { fd: 0, autoClose: false })),
        });
      }
      input = undefined;
      begun = false;
      close();
      open(path);
    },
    flush,
    onStray(survive) {
      process.on('uncaughtException', survive);
      process.on('unhandledRejection', survive);
    },
    call: (run, cell) =>
      callInterruptible(() => {
        // Asked only now: a signal that comes from here on ends the script.
        if (isInterrupted(cell)) throw EARLY;
        begun = true;
        return run();
      }),
    isInterrupt: thrown =>
      thrown === EARLY || (thrown as NodeJS.ErrnoException | undefined)?.code === INTERRUPTED,
    inspect: value => inspect(value),
    strip: code => stripTypeScriptTypes(code),
    typedParser,
    evaluate: inWorkspace('((run) => (script) => run(script))(eval)'),
    modules: v8Modules(directory, inWorkspace('(specifier, options) => import(specifier, options)')),
    mend: () => mend([process.stdout, process.stderr]),
    onInterrupt(running) {
      process.on('SIGINT', () => {
        if (!running() || !begun) return;
        process.removeAllListeners('SIGINT');
        process.kill(process.pid, 'SIGINT');
      });
    },
  };
}

/** Only a script can be ended by a signal (node:vm, `breakOnSigint`), so a script of one call stands around what runs. */
function interruptible(filename: string): (run: () => unknown) => unknown {
  const script = new Script(`this.${RUN}()`, { filename });
  const options = { breakOnSigint: true };
  const runScript = script.runInThisContext.bind(script, options);
  let run: () => unknown = () => {};
  Object.defineProperty(globalThis, RUN, { value: () => run() });
  return next => {
    run = next;
    return runScript();
  };
}

/**
 * A loop that prints is most often interrupted in the middle of a write: the stream waits for ever for that to end. What
 * says so are fields that Node.js calls its own (the same since version 14), hence the look whether it writes again.
 */
async function mend(streams: readonly NodeJS.WriteStream[]): Promise<boolean> {
  for (const stream of streams) {
    if (stream.writableLength === 0) continue;
    const { _writableState: state } = stream as unknown as { _writableState: object };
    assign(state, { writing: false, bufferProcessing: false, corked: 0, buffered: [], bufferedIndex: 0 });
    assign(state, { length: 0, pendingcb: 0, writecb: null, needDrain: false, sync: true });
    const written = new Promise<boolean>(resolve => stream.write('', () => resolve(true)));
    if (!(await Promise.race([written, sleep(MEND_MS, false, { ref: false })]))) return false;
  }
  return true;
}

/** What the service has said and Node.js has not read yet. */
function readNow(): string {
  // There mostly is nothing, which is told by an error: its stack would take longer than the call. Fails where a cell has frozen it.
  const { stackTraceLimit } = ErrorType;
  set(ErrorType, 'stackTraceLimit', 0);
  try {
    return received.toString('latin1', 0, readSync(CONTROL, received));
  } catch {
    return '';
  } finally {
    set(ErrorType, 'stackTraceLimit', stackTraceLimit);
  }
}

function close(): void {
  try {
    closeSync(0);
  } catch {
    // A cell has closed it.
  }
}

/** The lowest free number is 0. The agent holds a named pipe open until its name is gone: opening it waits for nobody. */
function open(path: string): void {
  try {
    openSync(path, 'r');
  } catch {
    openSync('/dev/null', 'r');
  }
  try {
    if (path !== '/dev/null') unlinkSync(path);
  } catch {
    // A cell has removed it.
  }
}
