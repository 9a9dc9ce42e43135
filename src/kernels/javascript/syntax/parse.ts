import { type Options, Parser } from 'acorn';
import type { Tree } from './tree.ts';

/** A syntax error, and where: both 1-based. */
export class Unparsed {
  readonly message: string;
  readonly line: number;
  readonly column: number;
  constructor(message: string, line: number, column: number) {
    this.message = message;
    this.line = line;
    this.column = column;
  }
}

const SyntaxErrorType = SyntaxError;
/** What a cell may be: sloppy as a script, with imports, exports, `await` and `return` at its top. */
const CELL: Options = {
  ecmaVersion: 'latest',
  sourceType: 'script',
  allowAwaitOutsideFunction: true,
  allowReturnOutsideFunction: true,
  allowImportExportEverywhere: true,
  allowHashBang: true,
};
/** The plugin takes imports in modules alone, and wants lines counted. */
const TYPED_CELL: Options = { ...CELL, sourceType: 'module', locations: true };
const MODULE: Options = { ecmaVersion: 'latest', sourceType: 'module', locations: true, allowHashBang: true };

/** A cell is no script in one thing: what it uses at its top is disposed at its end. */
const Script = class extends (Parser as unknown as new (...args: never[]) => object) {
  get allowUsing(): boolean {
    return true;
  }
} as unknown as typeof Parser;

let load: () => typeof Parser = () => Parser;
let loaded: typeof Parser | undefined;

/** Where the parser of TypeScript comes from once one is needed: it takes as long as the rest of a kernel's start. */
export function takeTypedParser(from: () => typeof Parser): void {
  load = from;
}

function typed(): typeof Parser {
  loaded ??= load();
  return loaded;
}

/** @throws {Unparsed} */
export function parseCell(code: string, typescript: boolean): Tree {
  if (!typescript) return parseScript(code);
  if (!mayHaveTypeArguments(code)) {
    try {
      return parse(Script, code, CELL);
    } catch {
      // It has types.
    }
  }
  return parse(typed(), code, TYPED_CELL);
}

/** What TypeScript reads otherwise than JavaScript, which may have it too: `f<T>(a)` compares there. */
function mayHaveTypeArguments(code: string): boolean {
  const open = code.indexOf('<');
  return open >= 0 && /[^=]>/.test(code.slice(open));
}

/** @throws {Unparsed} */
export function parseModule(code: string, typescript: boolean): Tree {
  const tree = parse(typed(), code, MODULE);
  if (!typescript && hasTypes(tree)) throw new Unparsed('types are nothing of JavaScript', 1, 1);
  return tree;
}

/** Decorators and accessors of classes are nothing that acorn knows; the parser with types does. */
function parseScript(code: string): Tree {
  try {
    return parse(Script, code, CELL);
  } catch (error) {
    if (!/@|\baccessor\b/.test(code)) throw error;
    try {
      const tree = parse(typed(), code, TYPED_CELL);
      if (!hasTypes(tree)) return tree;
    } catch {
      // What acorn says counts.
    }
    throw error;
  }
}

function hasTypes(node: Tree): boolean {
  if (node === null || typeof node !== 'object') return false;
  if (Array.isArray(node)) return node.some(hasTypes);
  if (typeof node.type === 'string' && node.type.startsWith('TS')) return true;
  if (node.accessibility || node.readonly || node.declare || node.abstract || node.override || node.definite)
    return true;
  return Object.entries(node).some(([key, child]) => key !== 'loc' && hasTypes(child));
}

function parse(parser: typeof Parser, code: string, options: Options): Tree {
  try {
    return parser.parse(code, options);
  } catch (error) {
    if (!(error instanceof SyntaxErrorType)) throw error;
    const { message, loc } = error as SyntaxError & { loc?: { line: number; column: number } };
    throw new Unparsed(message.replace(/ \(\d+:\d+\)$/, ''), loc?.line ?? 1, (loc?.column ?? 0) + 1);
  }
}
