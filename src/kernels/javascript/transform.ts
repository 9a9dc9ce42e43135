import { Transpiler } from './bun-api.ts';
import { layOut } from './layout.ts';

/**
 * Turns a cell into scripts that an indirect eval can run again and again over one global scope: `let`, `const`,
 * `class`, enums and imports become assignments to globals, the last expression becomes `{ value }`, `await` an async
 * function. Bun's transpiler does that (`replMode`, TypeScript included); this file mends what it leaves open.
 */
export interface Script {
  /** Declares the cell's functions as globals. */
  readonly functions: string;
  /** Declares its other names; its value is the function that runs the cell. */
  readonly main: string;
  /** What stands in `main` before the cell's own text, characters. */
  readonly prefix: number;
  /** Whether the cell ends in an expression. */
  readonly hasValue: boolean;
}

/** What `import.meta` becomes, which a script may not contain, and two names that the transpiler would fill in itself. */
export const GIVEN = {
  'import.meta': '__cellImportMeta',
  __dirname: '__cellDirectory',
  __filename: '__cellFile',
} as const;

const options = { target: 'node', deadCodeElimination: false };
const repl = new Transpiler({ ...options, replMode: true, define: GIVEN });
const minify = new Transpiler({ ...options, minifyWhitespace: true });

/** `var a;\nvar b;\n(async () => {\nBODY\n})();\n` */
const SHAPE = /^((?:var [^\n]*;\n)*)\((async )?\(\) => \{\n?([\s\S]*)\}\)\(\);\n$/;
/** How a body ends that has a value. */
const VALUE = /^ {2}return \{\n {4}__proto__: null,\n {4}value: (?![\s\S]*^ {2}return \{\n)/m;
/** Comments, templates, which hold line breaks as they are, and declared functions: those run first, by themselves. */
const NOT_ON_ONE_LINE = /\/[/*]|`|^ {2}(?:async )?function\b/m;
const NOTHING: Script = { functions: '', main: '() => {}', prefix: 0, hasValue: false };

/** @throws Bun's BuildMessage, or an AggregateError of them, for a syntax error */
export function toScript(code: string, typescript: boolean): Script {
  const loader = typescript ? 'ts' : 'js';
  const source = mended(code, loader);
  const text = transform(source, loader);
  const shape = SHAPE.exec(text);
  if (!shape) return NOTHING;
  const [, names, async = '', body] = shape;
  const open = `${names!.replaceAll('\n', ' ')}(${async}() => {`;
  const layout = verified(source, text, body!.replace(VALUE, '  return { __proto__: null, value: '), open);
  return {
    functions: layout.functions,
    main: `${open}${layout.rest}\n})`,
    prefix: open.length,
    hasValue: text.includes('\n    value: ') && endsInExpression(source, loader),
  };
}

/**
 * With the user's own lines if that can be done without changing what the code means. What is all on one line stays
 * there: the transpiler ends every statement with a semicolon.
 */
function verified(source: string, text: string, body: string, open: string) {
  try {
    if (!source.includes('\n') && !NOT_ON_ONE_LINE.test(body))
      return { functions: '', rest: body.replaceAll('\n', ' ') };
    const meant = minify.transformSync(text, 'js');
    for (const anywhere of [true, false]) {
      const layout = layOut(source, body, anywhere);
      if (layout && means(`${open}${layout.whole}\n})();\n`, meant)) return layout;
    }
  } catch {
    // A program patched what this needs of Array or String: it runs on, with other line numbers.
  }
  return { functions: '', rest: `\n${body}` };
}

function means(text: string, meant: string): boolean {
  try {
    return minify.transformSync(text, 'js') === meant;
  } catch {
    return false;
  }
}

/** A cell that begins with a block is taken for an object literal; a semicolon in front says what it is. */
function transform(code: string, loader: 'js' | 'ts'): string {
  try {
    return repl.transformSync(code, loader);
  } catch (error) {
    if (!/^\s*\{/.test(code)) throw error;
    try {
      return repl.transformSync(`;${code}`, loader);
    } catch {
      throw error;
    }
  }
}

/**
 * The transform gives a last declaration's value too, and a REPL shows none for `const x = 5`. Only an expression can
 * go on with a comma.
 */
function endsInExpression(code: string, loader: 'js' | 'ts'): boolean {
  const trimmed = code.replace(/(?:[\s;]|\/\/[^\n]*$|\/\*(?:[^*]|\*(?!\/))*\*\/$)+$/, '');
  try {
    transform(`${trimmed}\n, 0`, loader);
    return true;
  } catch {
    return false;
  }
}

/**
 * Code pasted from a module: there is nobody to export to, so the names just stay. And the transform forgets `d` in
 * `import d, * as ns`. Lines stay as they are.
 */
function mended(code: string, loader: 'js' | 'ts'): string {
  const imports = code.replace(DEFAULT_AND_ALL, '$1$3; import * as $2$3');
  if (!/^\s*export\b/m.test(imports) || !/^ {2}export\b/m.test(transform(imports, loader))) return imports;
  return EXPORTS.reduce((text, [pattern, instead]) => text.replace(pattern, instead), imports).replace(
    /^(\s*)export\s*\{[^}]*\}/gm,
    all => all.replace(/\S/g, ' '),
  );
}

const DEFAULT_AND_ALL = /^(\s*import\s+[\w$]+)\s*,\s*\*\s*as\s+([\w$]+)(\s+from\s*(?:"[^"\n]*"|'[^'\n]*'))/gm;
const EXPORTS: readonly [RegExp, string][] = [
  [/^(\s*)export\s+default\s+(?=(?:async\s+)?function\b\s*\*?\s*[\w$])/gm, '$1'],
  [/^(\s*)export\s+default\s+(?=(?:abstract\s+)?class\s+(?!extends\b)[\w$])/gm, '$1'],
  [/^(\s*)export\s+default\s/gm, '$1exports.default = '],
  [/^(\s*)export\s+(?=(?:async\s+)?function\b|class\b)/gm, '$1'],
  [/^(\s*)export\s*(?:\*(?:\s*as\s+[\w$]+)?|\{[^}]*\})\s*from\b/gm, '$1import'],
];
