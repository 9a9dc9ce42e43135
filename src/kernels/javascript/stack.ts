import type { Place } from './syntax/edits.ts';

/** Characters of the sources whose places are remembered; the oldest are forgotten first. */
const MAX_REMEMBERED = 4 * 1024 * 1024;
/** A cell counts for at least this. */
const LEAST = 1024;

type Places = (line: number, column: number) => Place;
type Prepare = (error: unknown, sites: readonly unknown[]) => unknown;

// As they were before a cell could replace them.
const { apply, defineProperty } = Reflect;
const ErrorType = Error;
const { toString: headOf } = Error.prototype;
const StringOf = String;
const { call } = Function.prototype;
const replace = call.bind(String.prototype.replace) as (text: string, ...how: unknown[]) => string;
const test = call.bind(RegExp.prototype.test) as (pattern: RegExp, text: string) => boolean;

const remembered = new Map<string, { places: Places; size: number }>();
let size = 0;

/** Where the user wrote what a cell's script has somewhere. */
export function rememberPlaces(file: string, places: Places, length = 0): void {
  const own = Math.max(LEAST, length);
  remembered.set(file, { places, size: own });
  size += own;
  for (const [name, old] of remembered) {
    if (size <= MAX_REMEMBERED) break;
    remembered.delete(name);
    size -= old.size;
  }
}

/** The directory of the kernel, which every frame of its own names. */
const OURS = process.argv[1]!.slice(0, process.argv[1]!.lastIndexOf('/') + 1);

/** Frames of ours, and how a runtime calls a timer's or a promise's function or reads a file. */
const INTERNAL =
  /\bnode:|\bext:|\bbun:|\bnative:|\(native\)|(?:^|at )native$|\[native code\]|\/\[cell\]|\(unknown\)$|<parse>/;
/** Where Bun says that what a cell has evaluated is from. */
const EVALUATED = /file:\/\/\/\S*\/%5Bcell%5D/;

export function isOwnFrame(frame: string): boolean {
  return !frame.includes(OURS) && !test(INTERNAL, frame);
}

/**
 * Has errors tell the program's own frames alone, at the places that the user wrote: in `stack`, and so in all that prints
 * one. A program's own `Error.prepareStackTrace` (https://v8.dev/docs/stack-trace-api) is given those frames.
 */
export function ownFramesOnly(): void {
  let custom: unknown;
  const prepare: Prepare = (error, sites) => {
    const own: unknown[] = [];
    let text = '';
    let builtin = '';
    for (let i = 0; i < sites.length; i++) {
      const frame = textOf(sites[i]);
      if (!isOwnFrame(frame)) continue;
      own[own.length] = sites[i];
      builtin += `\n    at ${placed(frame)}`;
      // What a builtin function was called by, if not by the program, is ours.
      if (test(/\(<anonymous>\)$/, frame)) continue;
      text += builtin;
      builtin = '';
    }
    if (typeof custom === 'function') return apply(custom as Prepare, ErrorType, [error, own]);
    return `${head(error)}${text}`;
  };
  // Bun takes note of assignments alone.
  if ('Bun' in globalThis) {
    (ErrorType as unknown as { prepareStackTrace: Prepare }).prepareStackTrace = prepare;
    return;
  }
  defineProperty(ErrorType, 'prepareStackTrace', {
    get: () => prepare,
    set(value: unknown) {
      custom = value === prepare ? undefined : value;
    },
    configurable: true,
    enumerable: false,
  });
}

/** A frame, without the names that are there because a cell is evaluated. */
function textOf(site: unknown): string {
  try {
    const named = replace(StringOf(site), EVALUATED, '<anonymous>');
    const text = replace(named, /\beval \[as (\S+)\] \(/, '$1 (');
    return replace(text, /^(async )?(?:<anonymous>|eval) \((.*)\)$/, '$1$2');
  } catch {
    return '<anonymous>';
  }
}

/** A frame with the place that the user wrote. */
export function placed(frame: string): string {
  return replace(
    withoutReading(frame),
    /(<cell-\d+>):(\d+):(\d+)/,
    (all: string, file: string, line: string, column: string) => {
      const found = remembered.get(file)?.places(Number(line), Number(column));
      return found ? `${file}:${found.line}:${found.column}` : all;
    },
  );
}

/** Addresses of modules as their files are named. */
export function withoutReading(text: string): string {
  return replace(text, /\?reading=\d+/g, '');
}

function head(error: unknown): string {
  try {
    return apply(headOf, error, []) as string;
  } catch {
    return 'Error';
  }
}
