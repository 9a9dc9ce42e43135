import { closeSync, createReadStream, openSync, unlinkSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { CONTROL, flush, type Host, lineCutter } from './control.ts';

const RETRY_MS = 1;

export function nodeHost(): Host {
  const { exit } = process;
  const waiting = new Int32Array(new SharedArrayBuffer(4));
  const { wait } = Atomics;
  let input: unknown;
  let renewing = false;
  return {
    listen(heard) {
      const control = new Socket({ fd: CONTROL, readable: true, writable: true });
      const gone = () => exit(0);
      control.setEncoding('utf8').on('data', lineCutter(heard) as never);
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
      close();
      open(path);
    },
    flush,
    onStray(survive) {
      process.on('uncaughtException', survive);
      process.on('unhandledRejection', survive);
    },
  };
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
