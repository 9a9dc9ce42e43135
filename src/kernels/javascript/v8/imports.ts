import { type Node, parse } from 'acorn';

/** Globals that stand for what a script may not contain; scope.ts provides them. */
export const GIVEN = { import: '__cellImport', meta: '__cellImportMeta' } as const;

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

// biome-ignore lint/suspicious/noExplicitAny: acorn types its tree as bare nodes
type Tree = any;

/**
 * Makes a script of what may be written as a module: imports are awaited, exports go nowhere, `import()` and `import.meta`
 * are functions of ours, because V8 gives a script of the REPL neither. Lines stay as they are. What can't be parsed is
 * returned as it is: V8 says what is wrong with it.
 */
export function withoutModuleSyntax(code: string): string {
  if (!/\b(?:import|export)\b/.test(code)) return code;
  let tree: Tree;
  try {
    const options = { allowAwaitOutsideFunction: true, allowReturnOutsideFunction: true } as const;
    tree = parse(code, { ecmaVersion: 'latest', sourceType: 'module', ...options });
  } catch {
    return code;
  }
  const edits: Edit[] = [];
  for (const node of tree.body) editDeclaration(node, code, edits);
  walk(tree, node => editExpression(node, edits));
  edits.sort((a, b) => b.start - a.start);
  return edits.reduce((text, edit) => text.slice(0, edit.start) + edit.text + text.slice(edit.end), code);
}

function editDeclaration(node: Tree, code: string, edits: Edit[]): void {
  const replace = (end: number, text: string) => {
    const lines = code.slice(node.start, end).split('\n').length - text.split('\n').length;
    edits.push({ start: node.start, end, text: text + '\n'.repeat(Math.max(0, lines)) });
  };
  switch (node.type) {
    case 'ImportDeclaration':
      return replace(node.end, importing(node, code));
    case 'ExportAllDeclaration':
      return replace(node.end, `await ${GIVEN.import}(${node.source.raw});`);
    case 'ExportNamedDeclaration':
      if (node.declaration) return replace(node.declaration.start, '');
      return replace(node.end, node.source ? `await ${GIVEN.import}(${node.source.raw});` : ';');
    case 'ExportDefaultDeclaration':
      return replace(node.declaration.start, node.declaration.id ? '' : 'exports.default = ');
  }
}

function importing({ specifiers, source, attributes = [] }: Tree, code: string): string {
  const given = attributes.map((attribute: Node) => code.slice(attribute.start, attribute.end)).join(', ');
  const call = `await ${GIVEN.import}(${source.raw}${given && `, { with: { ${given} } }`})`;
  const all = specifiers.find((each: Tree) => each.type === 'ImportNamespaceSpecifier');
  const named = specifiers
    .filter((each: Tree) => each !== all)
    .map((each: Tree) => {
      const imported =
        each.type === 'ImportDefaultSpecifier' ? 'default' : (each.imported.name ?? each.imported.raw);
      return imported === each.local.name ? imported : `${imported}: ${each.local.name}`;
    });
  if (specifiers.length === 0) return `${call}, undefined;`;
  const parts = all ? [`${all.local.name} = ${call}`] : [];
  if (named.length > 0) parts.push(`{ ${named.join(', ')} } = ${all ? all.local.name : call}`);
  return `const ${parts.join(', ')};`;
}

function editExpression(node: Tree, edits: Edit[]): void {
  if (node.type === 'ImportExpression')
    edits.push({ start: node.start, end: node.start + 'import'.length, text: GIVEN.import });
  if (node.type === 'MetaProperty' && node.meta.name === 'import')
    edits.push({ start: node.start, end: node.end, text: GIVEN.meta });
}

function walk(node: Tree, visit: (node: Tree) => void): void {
  if (node === null || typeof node !== 'object') return;
  if (typeof node.type === 'string') visit(node);
  for (const child of Object.values(node)) {
    if (Array.isArray(child)) for (const each of child) walk(each, visit);
    else if (child && typeof child === 'object') walk(child, visit);
  }
}
