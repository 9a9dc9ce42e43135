import { parse } from 'acorn';
import { type Tree, walk } from '../../javascript/syntax/tree.ts';

/** What runs code of the program's, or gives something another value. */
const CHANGES: ReadonlySet<string> = new Set([
  'AssignmentExpression',
  'AwaitExpression',
  'CallExpression',
  'ClassExpression',
  'ImportExpression',
  'NewExpression',
  // Runs an iterator to its end.
  'SpreadElement',
  'TaggedTemplateExpression',
  'UpdateExpression',
  'YieldExpression',
]);

/** Whether a text is no expression, or one that may change anything by what it is written as; a getter that it reads still may. */
export function changesSomething(expression: string): boolean {
  let tree: Tree;
  try {
    tree = parse(`(${expression}\n)`, { ecmaVersion: 'latest', allowAwaitOutsideFunction: true });
  } catch {
    return true;
  }
  let changes = tree.body.length > 1;
  walk(tree, ({ type, operator }) => {
    if (CHANGES.has(type) || operator === 'delete') changes = true;
    return !changes;
  });
  return changes;
}
