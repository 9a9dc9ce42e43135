// biome-ignore lint/suspicious/noExplicitAny: acorn types its tree as bare nodes, and the plugin's not at all
export type Tree = any;

/** Fields of a node that hold types alone, and never anything that runs. */
const OF_TYPES = new Set([
  'loc',
  'typeAnnotation',
  'typeParameters',
  'typeArguments',
  'returnType',
  'superTypeParameters',
  'superTypeArguments',
  'implements',
]);

/** The nodes that lie directly in this one, last first. */
function childrenOf(node: Tree): Tree[] {
  const found: Tree[] = [];
  for (const key in node) {
    if (OF_TYPES.has(key)) continue;
    const child = node[key];
    if (child === null || typeof child !== 'object') continue;
    if (!Array.isArray(child)) {
      if (typeof child.type === 'string') found.push(child);
    } else for (const each of child) if (typeof each?.type === 'string') found.push(each);
  }
  return found.reverse();
}

/**
 * Calls back with all nodes below one, outermost first, each with those it lies in; `false` skips what lies in a node. A tree
 * may be deeper than the engine's stack.
 */
export function walk(root: Tree, visit: (node: Tree, parents: readonly Tree[]) => unknown): void {
  const parents: Tree[] = [];
  const left: Tree[][] = [[root]];
  while (left.length > 0) {
    const node = left.at(-1)!.pop();
    if (node === undefined) {
      left.pop();
      parents.pop();
    } else if (visit(node, parents) !== false) {
      parents.push(node);
      left.push(childrenOf(node));
    }
  }
}

export function isFunction({ type }: Tree): boolean {
  return (
    type === 'FunctionDeclaration' || type === 'FunctionExpression' || type === 'ArrowFunctionExpression'
  );
}

/** What a scope of its own for `await`, `this` and `var` is: functions, and what classes run like functions. */
export function isOwnBody(node: Tree, parent: Tree): boolean {
  if (isFunction(node) || node.type === 'StaticBlock') return true;
  return parent?.type === 'PropertyDefinition' && parent.value === node;
}

/** Without the types around it. */
export function bare(node: Tree): Tree {
  let found = node;
  while (found && /^TS(?:As|Satisfies|NonNull|Instantiation)Expression$|^TSTypeAssertion$/.test(found.type))
    found = found.expression;
  return found;
}

/** A function or class that takes the name of what it is assigned to. */
export function isAnonymousFunction(node: Tree): boolean {
  const found = bare(node);
  return (
    found?.type === 'ArrowFunctionExpression' ||
    ((found?.type === 'FunctionExpression' || found?.type === 'ClassExpression') && !found.id)
  );
}

/** Identifiers that a pattern binds. */
export function boundNames(pattern: Tree, found: Tree[] = []): Tree[] {
  switch (pattern?.type) {
    case 'Identifier':
      found.push(pattern);
      break;
    case 'ObjectPattern':
      for (const each of pattern.properties) boundNames(each.value ?? each.argument, found);
      break;
    case 'ArrayPattern':
      for (const each of pattern.elements) boundNames(each, found);
      break;
    case 'AssignmentPattern':
      boundNames(pattern.left, found);
      break;
    case 'RestElement':
      boundNames(pattern.argument, found);
      break;
    case 'TSParameterProperty':
      boundNames(pattern.parameter, found);
  }
  return found;
}
