import module, { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import util from 'node:util';
import { CONTROL, type Host } from '../host.ts';
import type { TypedParser } from '../syntax/typed-parser.ts';
import { flush, LineCutter } from './control.ts';
import { v8Modules } from './modules.ts';
import { replaceFunctions, withStandardFiles } from './standard-files.ts';

/** The little of Deno that the kernel uses. */
interface DenoApi {
  dlopen(
    name: string,
    symbols: Record<string, { parameters: string[]; result: string; nonblocking?: boolean }>,
  ): { symbols: Record<string, (...args: unknown[]) => unknown> };
  permissions: { revokeSync(descriptor: { name: string; kind?: string }): unknown };
  exit(code?: number): never;
}

// As they were before a cell could replace them.
const { stripTypeScriptTypes } = module;
const { inspect } = util;

const READ_BYTES = 64 * 1024;
const O_RDONLY = 0;
const O_NONBLOCK = 0o4000;
const F_GETFL = 3;
const F_SETFL = 4;
const POLLOUT = 4;

/**
 * Deno lets nobody touch its descriptors, so libc does it: the kernel starts with the right to call it, keeps the few
 * functions it needs, and gives the right up before the first cell. What the program was granted is all that is left.
 */
export function denoHost(directory: string, typedParser: () => typeof TypedParser): Host {
  const api = (globalThis as unknown as { Deno: DenoApi }).Deno;
  const { exit } = api;
  // biome-ignore lint/security/noGlobalEval: it runs cells
  const run = eval;
  const { symbols: c } = api.dlopen('libc.so.6', {
    read: { parameters: ['i32', 'buffer', 'usize'], result: 'isize', nonblocking: true },
    write: { parameters: ['i32', 'buffer', 'usize'], result: 'isize' },
    open: { parameters: ['buffer', 'i32'], result: 'i32' },
    close: { parameters: ['i32'], result: 'i32' },
    dup2: { parameters: ['i32', 'i32'], result: 'i32' },
    unlink: { parameters: ['buffer'], result: 'i32' },
    fcntl: { parameters: ['i32', 'i32', 'i32'], result: 'i32' },
    poll: { parameters: ['buffer', 'usize', 'i32'], result: 'i32' },
  }) as { symbols: Record<string, (...args: unknown[]) => number> };
  api.permissions.revokeSync({ name: 'ffi' });
  const { read, write, open, close, dup2, unlink, fcntl, poll } = c as Required<typeof c>;
  replaceFunctions();
  const encoder = new TextEncoder();
  const encode = encoder.encode.bind(encoder);
  const openPath = (path: string): number => {
    const fd = open!(encode(`${path}\0`), O_RDONLY | O_NONBLOCK);
    if (fd < 0) return open!(encode('/dev/null\0'), O_RDONLY);
    fcntl!(fd, F_SETFL, fcntl!(fd, F_GETFL, 0) & ~O_NONBLOCK);
    return fd;
  };
  return {
    async listen(heard) {
      const lines = new LineCutter(heard);
      const decoder = new TextDecoder();
      const decode = decoder.decode.bind(decoder);
      const buffer = new Uint8Array(READ_BYTES);
      while (true) {
        const length = Number(await read!(CONTROL, buffer, READ_BYTES));
        if (length <= 0) exit(0);
        lines.push(decode(buffer.subarray(0, length), { stream: true }));
      }
    },
    send(line) {
      let data = encode(`${line}\n`);
      while (data.byteLength > 0) {
        const written = Number(write!(CONTROL, data, data.byteLength));
        if (written > 0) data = data.subarray(written);
        else if (!writable(poll!)) exit(0);
      }
    },
    openInput(path) {
      const fd = openPath(path);
      dup2!(fd, 0);
      if (fd > 0) close!(fd);
      if (path !== '/dev/null') unlink!(encode(`${path}\0`));
    },
    flush,
    onStray(survive) {
      const { addEventListener } = globalThis as unknown as EventTarget;
      const listen = (name: string, field: 'error' | 'reason') =>
        addEventListener(name, event => {
          event.preventDefault();
          survive((event as Event & { error?: unknown; reason?: unknown })[field]);
        });
      listen('error', 'error');
      listen('unhandledrejection', 'reason');
    },
    call: run => run(),
    isInterrupt: () => false,
    mend: () => Promise.resolve(true),
    onInterrupt() {},
    inspect: value => inspect(value),
    strip: code => stripTypeScriptTypes(code),
    typedParser,
    evaluate: script => run(script),
    modules: v8Modules(directory, load(directory)),
  };
}

/** Deno imports from where the kernel lies, save what is relative. */
function load(directory: string): (specifier: string, options?: object) => Promise<unknown> {
  const url = pathToFileURL(`${directory}/[cell]`).href;
  const resolver = createRequire(`${directory}/[cell]`);
  return async (specifier, options) => {
    if (/^\.{0,2}\//.test(specifier)) return import(new URL(specifier, url).href, options as never);
    if (/^[a-z]+:/.test(specifier))
      return withStandardFiles(specifier, await import(specifier, options as never));
    // Of a package's, as Deno finds it from the workspace.
    const found = resolver.resolve(specifier);
    const module = await import(found.startsWith('/') ? pathToFileURL(found).href : found, options as never);
    return withStandardFiles(specifier, module);
  };
}

/** Waits for room; false once the service is gone. */
function writable(poll: (...args: unknown[]) => number): boolean {
  const request = new Uint8Array(8);
  const view = new DataView(request.buffer);
  view.setInt32(0, CONTROL, true);
  view.setInt16(4, POLLOUT, true);
  poll(request, 1, -1);
  return view.getInt16(6, true) === POLLOUT;
}
