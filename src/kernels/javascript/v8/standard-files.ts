/**
 * The standard streams by their names. Deno opens nothing in /dev and /proc but for who may do all there is, so that functions which are
 * given such a name are given the descriptor, which a program has anyway. What reads a pipe by name goes on where others have read.
 */
import { type Context, isRequired, type Resolve, type Resolved } from './located.ts';
import { compileRequired } from './plain.ts';

const NAMED = /^(?:\/dev\/fd\/|\/proc\/self\/fd\/|\/dev\/std)([012]|in|out|err)$/;
const NUMBERS: Readonly<Record<string, number>> = { 0: 0, 1: 1, 2: 2, in: 0, out: 1, err: 2 };
/** Whether a program may mean them. */
export const NAMES_STANDARD_FILE = /\/dev\/(?:fd|std)|\/proc\/self\/fd/;

// biome-ignore lint/suspicious/noExplicitAny: functions of many shapes, whose first argument is a path
type Call = (...args: any[]) => any;
type Calls = Record<string, Call>;

type FileSystem = typeof import('node:fs');

/** Written beside this (deno-fs.ts), because what is imported by name can't be replaced. */
const STAND_INS: Readonly<Record<string, string>> = {
  fs: 'deno-fs.mjs',
  'node:fs': 'deno-fs.mjs',
  'fs/promises': 'deno-fs-promises.mjs',
  'node:fs/promises': 'deno-fs-promises.mjs',
};
const DIRECTORY = 'file:///usr/local/lib/codebeaker/javascript/';

/** To a program, whatever way it comes by the functions. */
export function provideStandardFiles(): void {
  replaceFunctions();
  const { registerHooks } = process.getBuiltinModule('node:module') as typeof import('node:module');
  compileRequired();
  registerHooks({
    resolve(specifier: string, context: Context, next: Resolve): Resolved {
      const name = STAND_INS[specifier];
      const plain = context.parentURL?.startsWith(DIRECTORY) || isRequired(context);
      return name && !plain ? { url: `${DIRECTORY}${name}`, shortCircuit: true } : next(specifier, context);
    },
  } as never);
}

/** What a cell imports: Deno has no module stand in for one that a session imports by itself. */
export function withStandardFiles(specifier: string, module: object): object {
  return specifier in STAND_INS ? { ...module, ...(module as { default: object }).default } : module;
}

/** For `require`, default imports and what is global. */
export function replaceFunctions(): void {
  const fs = process.getBuiltinModule('node:fs');
  const { Deno } = globalThis as unknown as { Deno: Calls };
  const calls = { ...fs, ...ofNode(fs) } as FileSystem;
  replace(Deno, ofDeno(calls, [Deno.stdin, Deno.stdout, Deno.stderr].map(asFile)));
  replace(fs.promises, ofPromises(calls));
  replace(fs, ofNode(fs));
}

/** Each takes a descriptor where there was a path. */
function ofNode(fs: FileSystem): Calls {
  const { readFile, readFileSync, writeFile, writeFileSync, appendFile, appendFileSync } = fs;
  const { createReadStream, createWriteStream, fstat, fstatSync, readSync } = fs;
  const { Buffer: BufferType } = process.getBuiltinModule('node:buffer');
  const isFile = (fd: number) => fd === 0 && fstatSync(fd).isFile();
  /** A file is read from its beginning by whoever opens it. */
  const fromStart = (fd: number, options?: string | { encoding?: string } | null) => {
    const data = BufferType.alloc(fstatSync(fd).size);
    let at = 0;
    for (let read = 1; read > 0 && at < data.length; at += read)
      read = readSync(fd, data, at, data.length - at, at);
    const encoding = typeof options === 'object' ? options?.encoding : options;
    return encoding ? data.toString(encoding as BufferEncoding) : data;
  };
  const streaming = (create: Call) => (fd: number, options?: unknown) =>
    create('', {
      ...(create === createReadStream && isFile(fd) && { start: 0 }),
      ...(typeof options === 'string' ? { encoding: options } : (options as object)),
      fd,
      autoClose: false,
    });
  return {
    ...{ writeFile, writeFileSync, appendFile, appendFileSync },
    readFileSync: (fd, options) => (isFile(fd) ? fromStart(fd, options) : readFileSync(fd, options)),
    readFile(fd, ...more) {
      if (!isFile(fd)) return readFile(fd, ...(more as [never]));
      process.nextTick(more.at(-1), null, fromStart(fd, more.length > 1 ? more[0] : null));
    },
    createReadStream: streaming(createReadStream),
    createWriteStream: streaming(createWriteStream),
    stat: fstat,
    statSync: fstatSync,
    existsSync: () => true,
    accessSync: () => {},
    access: (_, ...more) => process.nextTick(more.at(-1), null),
    openSync: fd => fd,
    open: (fd, ...more) => process.nextTick(more.at(-1), null, fd),
  };
}

function ofPromises(fs: FileSystem): Calls {
  const { readFile, writeFile, appendFile, fstat } = fs;
  const { open } = fs.promises;
  return {
    readFile: promised(readFile),
    writeFile: promised(writeFile),
    appendFile: promised(appendFile),
    stat: promised(fstat),
    access: async () => {},
    /** Deno gives nobody the class of what it opens but by something that is open. */
    open: async fd => {
      await using opened = await open('/dev/null');
      return asFile(new (opened.constructor as new (fd: number) => object)(fd));
    },
  };
}

function ofDeno(fs: FileSystem, streams: readonly unknown[]): Calls {
  const { readFileSync, writeFileSync } = fs;
  const { readFile, writeFile } = ofPromises(fs) as Record<'readFile' | 'writeFile', Call>;
  return {
    readFileSync: fd => new Uint8Array(readFileSync(fd)),
    readFile: async fd => new Uint8Array(await readFile(fd)),
    readTextFileSync: fd => readFileSync(fd, 'utf8'),
    readTextFile: fd => readFile(fd, 'utf8'),
    writeFileSync: (fd, data) => writeFileSync(fd, data),
    writeFile: (fd, data) => writeFile(fd, data),
    writeTextFileSync: (fd, data) => writeFileSync(fd, data),
    writeTextFile: (fd, data) => writeFile(fd, data),
    openSync: fd => streams[fd],
    open: async fd => streams[fd],
  };
}

/** A standard stream as what has been opened, and stays so. */
function asFile(stream: object | undefined): object {
  const get = (target: object, key: PropertyKey): unknown => {
    if (key === 'close' || key === Symbol.asyncDispose) return async () => {};
    if (key === Symbol.dispose) return () => {};
    const value = Reflect.get(target, key);
    return typeof value === 'function' ? value.bind(target) : value;
  };
  return new Proxy(stream!, { get });
}

function promised(call: Call): Call {
  return (...args) =>
    new Promise((resolve, reject) =>
      call(...args, (error: unknown, value: unknown) => (error ? reject(error) : resolve(value))),
    );
}

/** The descriptor that a path names. */
function descriptorOf(path: unknown): number | undefined {
  const name = path instanceof URL && path.protocol === 'file:' ? path.pathname : path;
  const found = typeof name === 'string' ? NAMED.exec(name)?.[1] : undefined;
  return found === undefined ? undefined : NUMBERS[found];
}

/** Has functions do something else with a standard stream. */
function replace(holder: object, calls: Calls): void {
  for (const [name, own] of Object.entries(calls)) {
    const usual = (holder as Calls)[name]!;
    const apply = (target: Call, self: unknown, args: unknown[]) => {
      const fd = descriptorOf(args[0]);
      return fd === undefined ? Reflect.apply(target, self, args) : own(fd, ...args.slice(1));
    };
    // Shows itself as what it stands for.
    (holder as Calls)[name] = new Proxy(usual, { apply });
  }
}
