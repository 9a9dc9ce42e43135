import { parse } from 'acorn';
import { varNames } from '../../javascript/syntax/names.ts';
import { boundNames, type Tree } from '../../javascript/syntax/tree.ts';

/** What a module declares at its top, but for what it imports. */
export function moduleNames(source: string): readonly string[] {
  let tree: Tree;
  try {
    tree = parse(source, { ecmaVersion: 'latest', sourceType: 'module', allowHashBang: true });
  } catch {
    // Of a newer language than the parser's.
    return [];
  }
  const declared = tree.body.flatMap(declaredBy);
  return [...new Set<string>([...declared, ...varNames(tree)].map(({ name }) => name))];
}

function declaredBy(statement: Tree): Tree[] {
  const { type, id, declarations } = statement.declaration ?? statement;
  if (type === 'VariableDeclaration') return declarations.flatMap((each: Tree) => boundNames(each.id));
  return /^(?:Function|Class)Declaration$/.test(type) && id ? [id] : [];
}
