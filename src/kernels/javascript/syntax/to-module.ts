import { lowerDecorators } from './decorators.ts';
import { Edits, type Rewritten } from './edits.ts';
import { erase } from './erase.ts';
import { parseModule } from './parse.ts';
import { isOwnBody, type Tree, walk } from './tree.ts';

/** An ES module has no `require` of its own, and another one's looks elsewhere. */
const REQUIRE_OF_MODULE = 'process.getBuiltinModule("node:module").createRequire(import.meta.url)';

export interface Module extends Rewritten {
  /** Of ES; else of CommonJS. */
  readonly isES: boolean;
}

/**
 * A file as JavaScript that every engine knows, with every line where it was.
 *
 * @param isES what else than its text says so; null where nothing does
 * @throws {Unparsed}
 */
export function toModule(
  source: string,
  { typescript, isES: told }: { typescript: boolean; isES: boolean | null },
): Module {
  const tree = parseModule(source, typescript);
  const isES = told ?? isModule(tree);
  const edits = new Edits(source);
  if (typescript) {
    erase(tree, edits, {
      elide: true,
      declares: ({ type }) => (type === 'TSImportEqualsDeclaration' ? 'const ' : 'var '),
      require: isES ? REQUIRE_OF_MODULE : 'require',
    });
  }
  lowerDecorators(tree, edits, ({ id }, parents) => {
    const { type } = parents.at(-1);
    if (!id) return { before: 'export default ' };
    if (type === 'ExportDefaultDeclaration')
      return { before: `let ${id.name}; `, after: ` export { ${id.name} as default };` };
    return { before: `${type === 'ExportNamedDeclaration' ? 'export ' : ''}let ${id.name}; ` };
  });
  return { ...edits.apply(), isES };
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
