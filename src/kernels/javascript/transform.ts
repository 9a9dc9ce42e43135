import { isDecorated, lowerDecorators } from './syntax/decorators.ts';
import { blanks, Edits, type Place } from './syntax/edits.ts';
import { erase } from './syntax/erase.ts';
import { assignedNames, isShadowed } from './syntax/names.ts';
import { parseCell } from './syntax/parse.ts';
import { boundNames, isAnonymousFunction, isFunction, isOwnBody, type Tree, walk } from './syntax/tree.ts';
import { isTypesOnly } from './syntax/types-only.ts';

/** Globals that stand for what a cell's script can't say itself; scope.ts provides them. */
export const GIVEN = {
  import: '__cellImport',
  meta: '__cellImportMeta',
  /** Assigning to a property of it gives a name of the cell its first value. */
  declared: '__cellDeclared',
  /** Assigning to a property of it fails as assigning to a constant does. */
  constant: '__cellConstant',
  /** Its property `value` is the cell's. */
  result: '__cellResult',
} as const;

/** `let`: has no value before its declaration runs, as a class; `fresh`: has none, and may be asked. */
export type Kind = 'var' | 'let' | 'const' | 'function' | 'fresh';

export interface Import {
  readonly specifier: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** Local name by imported name; `*` is all of the module. */
  readonly names: readonly { readonly imported: string; readonly local: string }[];
}

/**
 * A cell as scripts that run over one global scope: what a cell declares at its top is a property of the global object, so
 * that the next cell has it and may declare it anew. Every line and nearly every column stays where the user wrote it.
 */
export interface Script {
  /** Its value is the function that runs the cell. */
  readonly main: string;
  /** Declares the cell's functions as globals, which then call whatever was declared last; empty without any. */
  readonly functions: string;
  readonly names: ReadonlyMap<string, Kind>;
  readonly imports: readonly Import[];
  /** Whether a name that is imported may be a type, and then missing. */
  readonly typescript: boolean;
  readonly hasValue: boolean;
  /** Where the user wrote what is at a place of the scripts. */
  placeOf(line: number, column: number): Place;
}

/**
 * @param constants names that are constant as the cell begins
 * @throws {Unparsed}
 */
export function toScript(code: string, typescript: boolean, constants: ReadonlySet<string>): Script {
  const { source, tree, moved } = parsed(code, typescript);
  const edits = new Edits(source);
  if (source.startsWith('#!')) edits.replace(0, 2, '//');
  edits.before(0, `(${/\bawait\b/.test(source) && isAsync(tree) ? 'async ' : ''}() => {`);
  const cell = new CellEdits(tree, edits, typescript);
  cell.edit(constants);
  const { text, placeOf, offsetOf } = edits.apply();
  let functions = '';
  let main = '';
  let at = 0;
  for (const [from, to] of cell.functions) {
    const start = offsetOf(from);
    const end = offsetOf(to);
    functions += blanks(text.slice(at, start)) + text.slice(start, end);
    main += text.slice(at, start) + blanks(text.slice(start, end));
    at = end;
  }
  return {
    main: `${main}${text.slice(at)}\n})`,
    functions,
    names: cell.names,
    imports: cell.imports,
    typescript,
    hasValue: cell.hasValue,
    placeOf(line, column) {
      const place = placeOf(line, column);
      return place.line === 1 ? { line: 1, column: Math.max(1, place.column - moved) } : place;
    },
  };
}

/** A cell that begins with a brace is an object if it can be one, as in every REPL. */
function parsed(code: string, typescript: boolean): { source: string; tree: Tree; moved: number } {
  if (/^\s*\{/.test(code) && !/;\s*$/.test(code)) {
    try {
      const source = `(${code}\n)`;
      const tree = parseCell(source, typescript);
      if (tree.body.length === 1) return { source, tree, moved: 1 };
    } catch {
      // It is a block.
    }
  }
  return { source: code, tree: parseCell(code, typescript), moved: 0 };
}

/** Whether something awaits outside of every function. */
function isAsync(tree: Tree): boolean {
  let found = false;
  walk(tree, (node, parents) => {
    if (isFunction(node) || isOwnBody(node, parents.at(-1))) return false;
    if (node.type === 'AwaitExpression' || node.await === true || node.kind === 'await using') found = true;
    return !found;
  });
  return found;
}

class CellEdits {
  readonly names = new Map<string, Kind>();
  readonly imports: Import[] = [];
  /** Where function declarations are. */
  readonly functions: [number, number][] = [];
  hasValue = false;
  readonly #tree: Tree;
  readonly #edits: Edits;
  readonly #typescript: boolean;
  readonly #isStrict: boolean;
  #disposables = 0;

  constructor(tree: Tree, edits: Edits, typescript: boolean) {
    this.#tree = tree;
    this.#edits = edits;
    this.#typescript = typescript;
    this.#isStrict = tree.body.some((each: Tree) => each.directive === 'use strict');
  }

  edit(constants: ReadonlySet<string>): void {
    if (this.#typescript) this.#types();
    const statements: Tree[] = this.#tree.body;
    const last = statements.findLast(({ type }) => type !== 'EmptyStatement');
    for (const statement of statements) this.#statement(statement);
    const { source } = this.#edits;
    // What a cell does not hold is not looked for.
    if (/\bvar\b|\bfunction\b/.test(source)) this.#variables();
    if (last?.type === 'ExpressionStatement') this.#value(last);
    if (/@|\baccessor\b/.test(source)) this.#decorators();
    if (/\bimport\b/.test(source)) this.#expressions();
    this.#constants(constants);
  }

  #statement(node: Tree): void {
    if (isTypesOnly(node)) return;
    const edits = this.#edits;
    switch (node.type) {
      case 'FunctionDeclaration':
        return this.#function(node);
      case 'ClassDeclaration':
        return this.#class(node, node.start);
      case 'VariableDeclaration':
        return node.kind === 'var' ? undefined : this.#lexical(node);
      case 'ImportDeclaration':
        this.#import(node);
        return edits.replace(node.start, node.end, ';');
      case 'ExportAllDeclaration':
        this.imports.push({ specifier: node.source.value, attributes: attributesOf(node), names: [] });
        return edits.replace(node.start, node.end, ';');
      case 'ExportNamedDeclaration':
        if (node.source)
          this.imports.push({ specifier: node.source.value, attributes: attributesOf(node), names: [] });
        if (!node.declaration) return edits.replace(node.start, node.end, ';');
        if (node.declaration.start >= node.start && !isTypesOnly(node.declaration))
          edits.blank(node.start, keywordOf(node.declaration));
        return this.#statement(node.declaration);
      case 'ExportDefaultDeclaration':
        return this.#default(node);
    }
  }

  #default(node: Tree): void {
    const { declaration } = node;
    const isNamed = /^(?:Function|Class)Declaration$/.test(declaration.type) && declaration.id;
    if (isNamed) {
      this.#edits.blank(node.start, keywordOf(declaration));
      return this.#statement(declaration);
    }
    if (declaration.type === 'ClassDeclaration' && isDecorated(declaration)) return;
    this.#edits.replace(node.start, declaration.start, ';exports.default = ');
    if (this.#edits.source[node.end - 1] !== ';') this.#edits.after(node.end, ';');
  }

  /** Functions of a sloppy cell run as a script of their own; strict scripts can't declare a global. */
  #function({ id, start, end }: Tree): void {
    this.names.set(id.name, 'function');
    if (!this.#isStrict) this.functions.push([start, end]);
    else this.#atStart(`${GIVEN.declared}.${id.name} = ${id.name};`);
  }

  #atStart(text: string): void {
    const directive = this.#tree.body.findLast((each: Tree) => each.directive);
    this.#edits.after(directive?.end ?? 0, `;${text}`);
  }

  #class(node: Tree, start: number): void {
    this.names.set(node.id.name, 'let');
    if (isDecorated(node)) return;
    this.#edits.before(start, `;${GIVEN.declared}.${node.id.name} = `);
    this.#edits.after(node.end, ';');
  }

  #lexical({ kind, declarations, start, end }: Tree): void {
    const edits = this.#edits;
    const isDisposed = /using$/.test(kind);
    const constant: Kind = kind === 'let' ? 'let' : 'const';
    for (const { id } of declarations) for (const { name } of boundNames(id)) this.names.set(name, constant);
    if (isDisposed) {
      for (const { id } of declarations)
        edits.before(id.start, `__disposed${this.#disposables++} = ${GIVEN.declared}.`);
      return;
    }
    const hasEnd = edits.source[end - 1] === ';';
    edits.replace(start, start + kind.length, ';(');
    edits.after(hasEnd ? end - 1 : end, hasEnd ? ')' : ');');
    for (const { id, init } of declarations) {
      if (!init) edits.after(id.end, ' = void 0');
      else if (id.type === 'Identifier') this.#named(init, id.name);
      this.#target(id);
    }
  }

  /** Only a name names a function that is assigned to it; here it is a property. */
  #named(init: Tree, name: string): void {
    if (!isAnonymousFunction(init) || (init.type === 'ClassExpression' && isDecorated(init))) return;
    this.#edits.before(init.start, `({ ["${name}"]: `);
    this.#edits.after(init.end, ` })["${name}"]`);
  }

  /** A pattern that declares becomes one that assigns. */
  #target(pattern: Tree): void {
    switch (pattern?.type) {
      case 'Identifier':
        return this.#edits.before(pattern.start, `${GIVEN.declared}.`);
      case 'ObjectPattern':
        for (const property of pattern.properties) {
          if (property.shorthand) this.#edits.before(property.start, `${property.key.name}: `);
          this.#target(property.type === 'RestElement' ? property : property.value);
        }
        return;
      case 'ArrayPattern':
        for (const element of pattern.elements) this.#target(element);
        return;
      case 'AssignmentPattern':
        if (pattern.left.type === 'Identifier') this.#named(pattern.right, pattern.left.name);
        return this.#target(pattern.left);
      case 'RestElement':
        return this.#target(pattern.argument);
    }
  }

  #import(node: Tree): void {
    const names = node.specifiers
      .filter(({ importKind }: Tree) => importKind !== 'type')
      .map(({ type, imported, local }: Tree) => {
        this.names.set(local.name, 'const');
        if (type === 'ImportNamespaceSpecifier') return { imported: '*', local: local.name };
        if (type === 'ImportDefaultSpecifier') return { imported: 'default', local: local.name };
        return { imported: imported.name ?? imported.value, local: local.name };
      });
    this.imports.push({ specifier: node.source.value, attributes: attributesOf(node), names });
  }

  /** `var` declares for the whole cell, wherever it stands. */
  #variables(): void {
    const edits = this.#edits;
    walk(this.#tree, (node, parents) => {
      const parent = parents.at(-1);
      if (isTypesOnly(node)) return false;
      if (isOwnBody(node, parent) || node.type === 'TSModuleDeclaration') {
        if (node.type === 'FunctionDeclaration' && parent.type !== 'Program')
          this.#blockFunction(node, parents);
        return false;
      }
      if (node.type !== 'VariableDeclaration' || node.kind !== 'var') return true;
      for (const { id } of node.declarations)
        for (const { name } of boundNames(id)) if (!this.names.has(name)) this.names.set(name, 'var');
      if (/^For(?:In|Of)?Statement$/.test(parent.type) && parent.body !== node) {
        edits.blank(node.start, node.start + 'var'.length);
        if (parent.type === 'ForStatement')
          for (const { id, init } of node.declarations) if (!init) edits.after(id.end, ' = void 0');
        return true;
      }
      const inList = /^(?:Program|BlockStatement|StaticBlock|SwitchCase|Export.*)$/.test(parent.type);
      const hasEnd = edits.source[node.end - 1] === ';';
      edits.replace(node.start, node.start + 'var'.length, inList ? ';(' : '(');
      edits.after(hasEnd ? node.end - 1 : node.end, hasEnd ? ')' : ');');
      // `var a` leaves `a` as it is.
      for (const { id, init } of node.declarations) if (!init) edits.before(id.start, 'void ');
      return true;
    });
  }

  /** A function in a block is known in all of a sloppy cell once the block has run (ECMA-262, B.3.2). */
  #blockFunction({ id, async, generator, end }: Tree, parents: readonly Tree[]): void {
    if (this.#isStrict || async || generator || !id || parents.at(-1).type !== 'BlockStatement') return;
    if (this.names.has(id.name)) return;
    this.names.set(id.name, 'var');
    this.#edits.after(end, `;${GIVEN.declared}.${id.name} = ${id.name};`);
  }

  #value({ start, end }: Tree): void {
    this.hasValue = true;
    this.#edits.before(start, `${GIVEN.result}.value = (`);
    this.#edits.after(this.#edits.source[end - 1] === ';' ? end - 1 : end, ')');
  }

  #types(): void {
    erase(this.#tree, this.#edits, {
      elide: false,
      require: 'require',
      declares: ({ type }, name, parents) => {
        const isAlias = type === 'TSImportEqualsDeclaration';
        if (!isTop(parents)) return isAlias ? 'const ' : 'var ';
        this.names.set(name, isAlias ? 'const' : 'fresh');
        return isAlias ? `${GIVEN.declared}.` : '';
      },
    });
  }

  #decorators(): void {
    lowerDecorators(this.#tree, this.#edits, ({ id }, parents) => {
      if (!id) return { before: ';exports.default = ', after: ';' };
      return { before: isTop(parents) ? `;${GIVEN.declared}.${id.name} = void 0; ` : `let ${id.name}; ` };
    });
  }

  #expressions(): void {
    const edits = this.#edits;
    walk(this.#tree, node => {
      if (node.type === 'ImportExpression')
        edits.replace(node.start, node.start + 'import'.length, GIVEN.import);
      if (node.type === 'MetaProperty' && node.meta.name === 'import')
        edits.replace(node.start, node.end, GIVEN.meta);
    });
  }

  #constants(before: ReadonlySet<string>): void {
    const isConstant = (name: string) => {
      const kind = this.names.get(name);
      return kind === undefined ? before.has(name) : kind === 'const';
    };
    if (before.size === 0 && ![...this.names.values()].includes('const')) return;
    let short: ReadonlySet<number> | undefined;
    assignedNames(this.#tree, (name, parents) => {
      if (!isConstant(name.name) || isShadowed(name.name, parents)) return;
      short ??= shorthands(this.#tree);
      if (short.has(name.start)) this.#edits.before(name.start, `${name.name}: `);
      this.#edits.before(name.start, `${GIVEN.constant}.`);
    });
  }
}

function isTop(parents: readonly Tree[]): boolean {
  return parents.every(({ type }) => type === 'Program' || /^Export/.test(type));
}

/** Where names begin that stand for a property too, as `{ a }` does. */
function shorthands(tree: Tree): ReadonlySet<number> {
  const found = new Set<number>();
  walk(tree, ({ type, shorthand, start }) => {
    if (type === 'Property' && shorthand) found.add(start);
  });
  return found;
}

/** Where a declaration begins that may have decorators before it. */
function keywordOf({ start, decorators }: Tree): number {
  return Math.min(start, decorators?.[0]?.start ?? start);
}

function attributesOf({ attributes = [] }: Tree): Record<string, string> {
  return Object.fromEntries(
    attributes.map(({ key, value }: Tree) => [key.name ?? key.value, value.value]),
  ) as Record<string, string>;
}
