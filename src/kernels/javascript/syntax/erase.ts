import type { Edits } from './edits.ts';
import { eraseEnum } from './enums.ts';
import { eraseNamespace } from './namespaces.ts';
import { findToken, tokens } from './tokens.ts';
import { isFunction, type Tree, walk } from './tree.ts';
import { isTypesOnly } from './types-only.ts';

/** How what is erased stands in its surroundings. */
export interface Surroundings {
  /**
   * Names that are imported and never used as a value are not imported: they may be types of another file. Without, imports and exports
   * are left as they are.
   */
  readonly elide: boolean;
  /** What a statement says before it assigns to a name of its own: `var ` where it does declare one. */
  declares(statement: Tree, name: string, parents: readonly Tree[]): string;
  /** What `import x = require()` calls. */
  readonly require: string;
}

const MODIFIERS = new Set(['public', 'private', 'protected', 'readonly', 'abstract', 'override', 'declare']);

const ENDED = new Set([
  'ExpressionStatement',
  'VariableDeclaration',
  'ReturnStatement',
  'ThrowStatement',
  'PropertyDefinition',
  'ExportDefaultDeclaration',
]);

/**
 * Takes everything out that is there for types alone, and says in JavaScript what TypeScript has beyond it: enums,
 * namespaces, parameter properties, `import x = require()`, `export =`. Every line stays where it is. Decorators and
 * accessors are left to decorators.ts. (`isolatedModules`, `useDefineForClassFields` and no `verbatimModuleSyntax`, in words
 * of https://www.typescriptlang.org/tsconfig.)
 */
export function erase(tree: Tree, edits: Edits, surroundings: Surroundings): void {
  const used = surroundings.elide ? valuesIn(tree) : null;
  walk(tree, (node, parents) => {
    if (isTypesOnly(node)) {
      drop(node, edits);
      return false;
    }
    eraseFields(node, edits);
    eraseStatementEnd(node, parents.at(-1), edits);
    return eraseNode(node, parents, { edits, used, surroundings });
  });
}

interface Context {
  readonly edits: Edits;
  readonly used: ReadonlySet<string> | null;
  readonly surroundings: Surroundings;
}

/** A semicolon stays, so that what stood on both sides stays apart. */
function drop(node: Tree, edits: Edits): void {
  const start = Math.min(node.start, node.decorators?.[0]?.start ?? node.start);
  edits.replace(start, node.end, ';');
}

/** Annotations, type parameters and arguments, wherever they stand. */
function eraseFields(node: Tree, edits: Edits): void {
  if (node.type.startsWith('TS')) {
    if (node.type === 'TSInstantiationExpression') blankNode(node.typeArguments, edits);
    return;
  }
  if (node.type === 'ArrowFunctionExpression') eraseArrow(node, edits);
  else {
    blankNode(node.typeParameters, edits);
    blankNode(node.returnType, edits);
  }
  blankNode(node.typeAnnotation, edits);
  blankNode(node.typeArguments, edits);
  blankNode(node.superTypeParameters, edits);
  blankNode(node.superTypeArguments, edits);
  if (isFunction(node)) eraseParameters(node, edits);
}

function blankNode(node: Tree, edits: Edits): void {
  if (node) edits.blank(node.start, node.end);
}

/** No line break may come before an arrow, nor between `async` or `return` and what follows: brackets move over it. */
function eraseArrow({ start, typeParameters, returnType }: Tree, edits: Edits): void {
  const { source } = edits;
  if (typeParameters) {
    const open = findToken(source, typeParameters.end, source.length, '(')!;
    if (source.slice(start, open.start).includes('\n')) {
      edits.replace(typeParameters.start, open.end, '(');
    } else blankNode(typeParameters, edits);
  }
  if (!returnType) return;
  const close = source.lastIndexOf(')', returnType.start);
  if (source.slice(close, returnType.end).includes('\n')) edits.replaceLate(close, returnType.end, ')');
  else blankNode(returnType, edits);
}

function eraseParameters({ params }: Tree, edits: Edits): void {
  const { source } = edits;
  params.forEach((param: Tree, i: number) => {
    const { start, end, name, typeAnnotation } = param;
    if (i === 0 && name === 'this') {
      const next = params[1];
      edits.blank(start, next ? (next.decorators?.[0]?.start ?? next.start) : comma(source, end));
      return;
    }
    const inner = param.type === 'TSParameterProperty' ? param.parameter : param;
    const pattern = inner.type === 'AssignmentPattern' ? inner.left : inner;
    if (inner !== param) {
      for (const word of tokens(source, start, pattern.start))
        if (MODIFIERS.has(word.text)) edits.blank(word.start, word.end);
    }
    if (pattern.optional) {
      const limit = (pattern.typeAnnotation ?? typeAnnotation)?.start ?? pattern.end;
      const mark = source.lastIndexOf('?', limit - (pattern.typeAnnotation ? 1 : 0));
      if (mark >= pattern.start) edits.blank(mark, mark + 1);
    }
  });
}

/** The end of what ends in a comma, if it does. */
function comma(source: string, end: number): number {
  const next = /\S/.exec(source.slice(end));
  return next?.[0] === ',' ? end + next.index + 1 : end;
}

/** Where a type was the last of a statement, the next line might go on with it. */
function eraseStatementEnd(node: Tree, parent: Tree, edits: Edits): void {
  if (!ENDED.has(node.type) || /^For/.test(parent.type) || edits.source[node.end - 1] === ';') return;
  if (endsInType(node)) edits.after(node.end, ';');
}

function endsInType(node: Tree): boolean {
  let found = false;
  walk(node, child => {
    if (child.end !== node.end) return false;
    if (/^TS/.test(child.type) || child.typeAnnotation?.end === node.end) found = true;
    return !found;
  });
  return found;
}

function eraseNode(node: Tree, parents: readonly Tree[], context: Context): unknown {
  const { edits, surroundings } = context;
  const { source } = edits;
  switch (node.type) {
    case 'TSAsExpression':
    case 'TSSatisfiesExpression': {
      const word = tokens(source, node.expression.end, node.typeAnnotation.start).findLast(({ text }) =>
        /^(?:as|satisfies)$/.test(text),
      )!;
      return edits.blank(word.start, node.end);
    }
    case 'TSNonNullExpression': {
      const mark = source.lastIndexOf('!', node.end - 1);
      return edits.blank(mark, mark + 1);
    }
    case 'TSTypeAssertion': {
      const end = findToken(source, node.typeAnnotation.end, node.expression.start, '>')!.end;
      edits.replace(node.start, end, '(');
      return edits.after(node.end, ')');
    }
    case 'VariableDeclarator':
      if (node.definite) {
        const mark = source.lastIndexOf('!', node.id.typeAnnotation.start - 1);
        edits.blank(mark, mark + 1);
      }
      return;
    case 'ClassDeclaration':
    case 'ClassExpression':
      return eraseClass(node, edits);
    case 'PropertyDefinition':
    case 'MethodDefinition':
      return eraseMember(node, edits);
    case 'TSEnumDeclaration':
      return eraseEnum(node, edits, placed(node, parents, surroundings));
    case 'TSModuleDeclaration':
      // The inner ones of `namespace A.B.C` are part of the outermost.
      if (parents.at(-1).type === 'TSModuleDeclaration') return;
      return eraseNamespace(node, edits, placed(node, parents, surroundings));
    case 'TSImportEqualsDeclaration':
      eraseImportEquals(node, parents, context);
      return false;
    case 'TSExportAssignment':
      edits.replace(node.start, node.expression.start, 'module.exports = ');
      return;
    case 'ImportDeclaration':
      eraseImport(node, context);
      return false;
    case 'ExportNamedDeclaration':
      return eraseExport(node, context);
    case 'ExportDefaultDeclaration':
      if (isType(node.declaration, context)) return drop(node, edits);
  }
}

/** How an enum or a namespace is declared where it stands. */
function placed(node: Tree, parents: readonly Tree[], { declares }: Surroundings) {
  const exported = parents.at(-1).type === 'ExportNamedDeclaration';
  const list = parents.at(exported ? -2 : -1);
  const statements: Tree[] = list.body;
  const before = statements.slice(
    0,
    statements.findIndex(each => each === node || each.declaration === node),
  );
  const { name } = node.id;
  const isDeclared = before.some(each => (each.declaration ?? each).id?.name === name && !isTypesOnly(each));
  const home = exported && list.type === 'TSModuleBlock' ? parents.at(-3).id.name : null;
  return { declares: isDeclared ? '' : declares(node, name, parents), home, before };
}

function eraseClass(node: Tree, edits: Edits): void {
  const { source } = edits;
  if (node.abstract) {
    const word = findToken(source, node.start, node.body.start, 'abstract')!;
    edits.blank(word.start, word.end);
  }
  const [first] = node.implements ?? [];
  if (!first) return;
  edits.blank(source.lastIndexOf('implements', first.start), node.implements.at(-1).end);
}

function eraseMember(node: Tree, edits: Edits): void {
  const { source } = edits;
  const { key, decorators = [], typeAnnotation, value } = node;
  const from = decorators.at(-1)?.end ?? node.start;
  const words = tokens(source, from, key.start);
  for (const { text, start, end } of words) {
    if (text === '[') break;
    if (MODIFIERS.has(text)) edits.blank(start, end);
  }
  // A field before it that ends without a semicolon would go on here.
  const first = words.find(({ text }) => !MODIFIERS.has(text))?.text;
  if (first === '[' || first === '*') edits.before(from, ';');
  if (node.optional || node.definite) {
    const until = typeAnnotation?.start ?? value?.start ?? node.end;
    const mark = tokens(source, key.end, until).find(({ text }) => text === '?' || text === '!');
    if (mark) edits.blank(mark.start, mark.end);
  }
  if (node.kind === 'constructor') assignParameters(node, edits);
}

/** `constructor(private x: number)` makes a field and sets it: after `super()`, or else first of all. */
function assignParameters({ start, value }: Tree, edits: Edits): void {
  const names = value.params.flatMap((param: Tree) => {
    if (param.type !== 'TSParameterProperty') return [];
    const { parameter } = param;
    return [(parameter.type === 'AssignmentPattern' ? parameter.left : parameter).name];
  });
  if (names.length === 0) return;
  edits.before(start, names.map((name: string) => `${name}; `).join(''));
  const text = names.map((name: string) => ` this.${name} = ${name};`).join('');
  const { body } = value.body;
  const isSuper = ({ expression }: Tree) =>
    expression?.type === 'CallExpression' && expression.callee.type === 'Super';
  const called = body.find(isSuper);
  if (called) return edits.after(called.end, `;${text}`);
  const directive = body.findLast((statement: Tree) => statement.directive);
  edits.after(directive?.end ?? value.body.start + 1, directive ? `;${text}` : text);
}

function eraseImportEquals(
  node: Tree,
  parents: readonly Tree[],
  { edits, used, surroundings }: Context,
): void {
  const { id, moduleReference: target } = node;
  if (used && !node.isExport && !used.has(id.name)) return drop(node, edits);
  const { source } = edits;
  const value =
    target.type === 'TSExternalModuleReference'
      ? `${surroundings.require}(${target.expression.raw})`
      : source.slice(target.start, target.end);
  const declares = surroundings.declares(node, id.name, parents);
  const home = parents.at(-1).type === 'TSModuleBlock' ? parents.at(-2).id.name : null;
  const also = node.isExport && home ? `${home}.${id.name} = ` : '';
  const exported = node.isExport && !home ? 'export ' : '';
  edits.replace(node.start, node.end, `${exported}${declares}${id.name} = ${also}${value};`);
}

function eraseImport(node: Tree, { edits, used }: Context): void {
  if (used === null) return;
  const { source } = edits;
  const kept = node.specifiers.filter(
    (each: Tree) => each.importKind !== 'type' && used.has(each.local.name),
  );
  if (kept.length === node.specifiers.length) return;
  // Whole imports of types go; `import {} from` and those of values for what they do stay.
  if (kept.length === 0) return edits.replace(node.start, node.end, ';');
  const text = (each: Tree) => source.slice(each.start, each.end);
  const named = kept.filter((each: Tree) => each.type === 'ImportSpecifier').map(text);
  const others = kept.filter((each: Tree) => each.type !== 'ImportSpecifier').map(text);
  const clause = [...others, ...(named.length > 0 || others.length === 0 ? [`{ ${named.join(', ')} }`] : [])];
  edits.replace(node.start, node.source.start, `import ${clause.join(', ')} from `);
}

/** `export default Name` of an interface. */
function isType({ type, name }: Tree, { used }: Context): boolean {
  return type === 'Identifier' && used !== null && used.has(`type ${name}`) && !used.has(`export ${name}`);
}

function eraseExport(node: Tree, { edits, used }: Context): void {
  if (used === null || node.declaration || node.specifiers.length === 0) return;
  const { source } = edits;
  const isValue = ({ exportKind, local }: Tree) =>
    exportKind !== 'type' && (node.source || used.has(`export ${local.name}`));
  const kept = node.specifiers.filter(isValue);
  if (kept.length === node.specifiers.length) return;
  const text = kept.map((each: Tree) => source.slice(each.start, each.end)).join(', ');
  const from = node.source ? ` from ${node.source.raw}` : '';
  edits.replace(node.start, node.end, `export { ${text} }${from};`);
}

/** Names that are used as values, and as `export NAME` those that may be exported: declared or imported as values. */
function valuesIn(tree: Tree): ReadonlySet<string> {
  const found = new Set<string>();
  walk(tree, (node, parents) => {
    if (isTypesOnly(node)) {
      if (node.id?.name) found.add(`type ${node.id.name}`);
      return false;
    }
    const parent = parents.at(-1);
    switch (node.type) {
      case 'ImportDeclaration':
        for (const { importKind, local } of node.specifiers)
          if (importKind !== 'type') found.add(`export ${local.name}`);
        return false;
      case 'ExportNamedDeclaration':
        if (!node.source) for (const { local } of node.specifiers) found.add(local.name);
        return node.declaration != null;
      case 'TSImportEqualsDeclaration': {
        found.add(`export ${node.id.name}`);
        let target = node.moduleReference;
        while (target.type === 'TSQualifiedName') target = target.left;
        if (target.type === 'Identifier') found.add(target.name);
        return false;
      }
      case 'Identifier':
        if (
          parent.computed !== true &&
          (parent.property === node || (parent.key === node && !parent.shorthand))
        )
          return;
        found.add(node.name);
        if (parent.id === node || parents.some(({ type }) => type === 'VariableDeclarator'))
          found.add(`export ${node.name}`);
    }
  });
  return found;
}
