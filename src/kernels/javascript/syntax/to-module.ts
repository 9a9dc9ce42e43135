import { lowerDecorators } from './decorators.ts';
import { Edits, type Rewritten } from './edits.ts';
import { erase } from './erase.ts';
import { parseModule } from './parse.ts';
import { isOwnBody, type Tree, walk } from './tree.ts';

/** A TypeScript file as JavaScript, with every line where it was. @throws {Unparsed} */
export function toModule(source: string): Rewritten & { readonly isModule: boolean } {
  const tree = parseModule(source);
  const edits = new Edits(source);
  erase(tree, edits, {
    elide: true,
    declares: ({ type }) => (type === 'TSImportEqualsDeclaration' ? 'const ' : 'var '),
  });
  lowerDecorators(tree, edits, ({ id }, parents) => {
    const { type } = parents.at(-1);
    if (!id) return { before: 'export default ' };
    if (type === 'ExportDefaultDeclaration')
      return { before: `let ${id.name}; `, after: ` export { ${id.name} as default };` };
    return { before: `${type === 'ExportNamedDeclaration' ? 'export ' : ''}let ${id.name}; ` };
  });
  return { ...edits.apply(), isModule: isModule(tree) };
}

/** Whether only a module can say it. */
function isModule(tree: Tree): boolean {
  let found = false;
  walk(tree, (node, parents) => {
    if (
      /^(?:Import|Export(?:All|Default|Named))Declaration$/.test(node.type) ||
      node.type === 'MetaProperty'
    ) {
      found ||= node.type !== 'MetaProperty' || node.meta.name === 'import';
    }
    if (node.type === 'TSImportEqualsDeclaration') found ||= node.isExport;
    if (parents.some(parent => isOwnBody(parent, null))) return !found;
    if (node.type === 'AwaitExpression' || node.await === true || node.kind === 'await using') found = true;
    return !found;
  });
  return found;
}
