import type { Tree } from './tree.ts';

/** Whether a statement or a member of a class is there for types alone. */
export function isTypesOnly(node: Tree): boolean {
  switch (node.type) {
    case 'TSInterfaceDeclaration':
    case 'TSTypeAliasDeclaration':
    case 'TSDeclareFunction':
    case 'TSNamespaceExportDeclaration':
    case 'TSIndexSignature':
      return true;
    case 'TSModuleDeclaration':
      return node.declare === true || node.global === true || !isInstantiated(node);
    case 'ImportDeclaration':
    case 'TSImportEqualsDeclaration':
      return node.importKind === 'type';
    case 'ExportAllDeclaration':
      return node.exportKind === 'type';
    case 'ExportNamedDeclaration':
      return node.declaration ? isTypesOnly(node.declaration) : node.exportKind === 'type';
    case 'ExportDefaultDeclaration':
      return isTypesOnly(node.declaration);
    case 'MethodDefinition':
      return node.abstract === true || !node.value.body;
    case 'PropertyDefinition':
      return node.abstract === true || node.declare === true;
    default:
      return node.declare === true && /Declaration$/.test(node.type);
  }
}

/** Whether anything of a namespace is there when the program runs. */
function isInstantiated({ body }: Tree): boolean {
  if (!body) return false;
  if (body.type === 'TSModuleDeclaration') return isInstantiated(body);
  return body.body.some((statement: Tree) => !isTypesOnly(statement));
}
