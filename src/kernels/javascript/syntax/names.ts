import { boundNames, isFunction, type Tree, walk } from './tree.ts';

/** Identifiers below a node that something is assigned to: `a = 1`, `a++`, `[a] = b`, `for (a of b)`. */
export function assignedNames(tree: Tree, visit: (name: Tree, parents: readonly Tree[]) => void): void {
  walk(tree, (node, parents) => {
    const target = targetOf(node);
    if (!target || target.type === 'VariableDeclaration') return;
    for (const name of boundNames(target)) visit(name, [...parents, node]);
  });
}

function targetOf(node: Tree): Tree | null {
  switch (node.type) {
    case 'AssignmentExpression':
      return node.left;
    case 'UpdateExpression':
      return node.argument;
    case 'ForInStatement':
    case 'ForOfStatement':
      return node.left;
    default:
      return null;
  }
}

/** Whether something between a name and the top of a cell declares it again. */
export function isShadowed(name: string, parents: readonly Tree[]): boolean {
  return parents.some(parent => parent.type !== 'Program' && declaredIn(parent).has(name));
}

const known = new WeakMap<Tree, Set<string>>();

function declaredIn(scope: Tree): Set<string> {
  let names = known.get(scope);
  if (!names) {
    names = new Set(namesIn(scope).map(({ name }) => name));
    known.set(scope, names);
  }
  return names;
}

function namesIn(scope: Tree): Tree[] {
  switch (scope.type) {
    case 'BlockStatement':
    case 'StaticBlock':
    case 'TSModuleBlock':
      return scope.body.flatMap(lexicalNames);
    case 'SwitchStatement':
      return scope.cases.flatMap((each: Tree) => each.consequent.flatMap(lexicalNames));
    case 'ForStatement':
      return scope.init ? lexicalNames(scope.init) : [];
    case 'ForInStatement':
    case 'ForOfStatement':
      return lexicalNames(scope.left);
    case 'CatchClause':
      return scope.param ? boundNames(scope.param) : [];
    case 'ClassDeclaration':
    case 'ClassExpression':
      return scope.id ? [scope.id] : [];
    default:
      return isFunction(scope)
        ? [
            ...(scope.id ? [scope.id] : []),
            ...scope.params.flatMap((each: Tree) => boundNames(each)),
            ...varNames(scope.body),
          ]
        : [];
  }
}

function lexicalNames(statement: Tree): Tree[] {
  const { type, kind, id, declarations } = statement.declaration ?? statement;
  if (type === 'VariableDeclaration')
    return kind === 'var' ? [] : declarations.flatMap((each: Tree) => boundNames(each.id));
  return /Declaration$/.test(type) && id?.type === 'Identifier' ? [id] : [];
}

/** What `var` declares anywhere in a body but in functions of its own. */
export function varNames(body: Tree): Tree[] {
  const found: Tree[] = [];
  walk(body, node => {
    if (node.type === 'VariableDeclaration' && node.kind === 'var')
      for (const { id } of node.declarations) boundNames(id, found);
    return node === body || (!isFunction(node) && node.type !== 'StaticBlock');
  });
  return found;
}
