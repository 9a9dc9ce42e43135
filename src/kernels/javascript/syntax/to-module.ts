import { lowerDecorators } from './decorators.ts';
import { Edits, type Rewritten } from './edits.ts';
import { erase } from './erase.ts';
import { parseModule } from './parse.ts';

/** A TypeScript file as JavaScript, with every line where it was. @throws {Unparsed} */
export function toModule(source: string): Rewritten {
  const tree = parseModule(source);
  const edits = new Edits(source);
  erase(tree, edits, {
    elide: true,
    declares: ({ type }) => (type === 'TSImportEqualsDeclaration' ? 'const ' : 'var '),
  });
  lowerDecorators(tree, edits, ({ id }, parents) => {
    const isDefault = parents.at(-1).type === 'ExportDefaultDeclaration';
    if (!id) return { before: 'export default ' };
    if (isDefault) return { before: `let ${id.name}; `, after: ` export { ${id.name} as default };` };
    return { before: `${parents.at(-1).type === 'ExportNamedDeclaration' ? 'export ' : ''}let ${id.name}; ` };
  });
  return edits.apply();
}
