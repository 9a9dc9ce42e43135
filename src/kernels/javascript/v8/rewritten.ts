import { pathOf } from './located.ts';

const TYPESCRIPT = /^file:\/\/(?!.*\/node_modules\/)[^?#]*\.[cm]?ts(?:[?#]|$)/;
const JAVASCRIPT = /^file:\/\/(?!.*\/node_modules\/)[^?#]*\.[cm]?js(?:[?#]|$)/;

/** What decorators and accessors of classes look like, which V8 does not read; a comment may look so too, and costs time. */
const DECORATED = /(?:^|[;{}()[\]=,]|\b(?:export|default|static))\s*@[\w$(]|\baccessor\s+[\w$#['"]/m;

/** `import a = require('a')` and `export = a`, which Deno takes for a syntax error. */
export const OWN_MODULES =
  /(?:^|;)[ \t]*(?:(?:export[ \t]+)?import[ \t]+(?:type[ \t]+)?[\w$]+[ \t]*=|export[ \t]*=)/m;

/** Whether a module's address is a file, not a package's, that its engine does not run as it is. */
export function isRewritten(url: string): boolean {
  return isTypeScript(url) || (JAVASCRIPT.test(url) && isDecorated(textOf(url)));
}

export function isTypeScript(url: string): boolean {
  return TYPESCRIPT.test(url);
}

export function isDecorated(text: string): boolean {
  return DECORATED.test(text);
}

/** Empty where it can't be read, which the engine tells. */
function textOf(url: string): string {
  try {
    return process.getBuiltinModule('node:fs').readFileSync(pathOf(url), 'utf8');
  } catch {
    return '';
  }
}
