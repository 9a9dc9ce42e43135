import type { Edits } from './edits.ts';
import { boundNames, type Tree } from './tree.ts';
import { isTypesOnly } from './types-only.ts';

/**
 * `namespace A { export const b = 1 }` becomes `var A = ((A) => { const b = 1; A.b = b; return A })(A || {});`. What it has
 * inside is told by who walks on; `home` is what holds the namespace when it is exported from another one.
 */
export function eraseNamespace(
  node: Tree,
  edits: Edits,
  { declares, home, before }: { declares: string; home: string | null; before: readonly Tree[] },
): void {
  const names: string[] = [];
  let block = node;
  for (; block.type === 'TSModuleDeclaration'; block = block.body) names.push(block.id.name);
  const outer = names.map((name, i) => (i > 0 ? `${names[i - 1]}.${name}` : home ? `${home}.${name}` : name));
  const heads = names.map((name, i) => {
    const variable = i === 0 ? declares : 'const ';
    return `${variable}${name} = ${outer[i] === name ? '' : `${outer[i]} = `}((${name}) => {`;
  });
  const name = names.at(-1)!;
  const taken = ofEarlierBlocks(names, block, before);
  const shared = taken.length > 0 ? ` const { ${taken.join(', ')} } = ${name};` : '';
  edits.replace(node.start, block.start + 1, `${heads.join(' ')}${shared}${hoisted(block, name)}`);
  const tails = names.map((each, i) => `; return ${each} })(${outer[i]} || {});`).reverse();
  edits.replace(block.end - 1, block.end, tails.join(''));
  for (const statement of block.body) exportFrom(statement, name, edits);
}

/** Functions are there from the start; what may change is read and written where it lies. */
function hoisted(block: Tree, name: string): string {
  let text = '';
  for (const { type, declaration } of block.body) {
    if (type !== 'ExportNamedDeclaration' || !declaration || declaration.declare) continue;
    if (declaration.type === 'FunctionDeclaration') {
      const { id } = declaration;
      text += ` ${name}.${id.name} = ${id.name};`;
    }
    if (declaration.type !== 'VariableDeclaration' || declaration.kind === 'const') continue;
    for (const { name: each } of namesOf(declaration)) {
      const access = `get: () => ${each}, set: (_) => { ${each} = _; }, enumerable: true, configurable: true`;
      text += ` Object.defineProperty(${name}, "${each}", { ${access} });`;
    }
  }
  return text;
}

function exportFrom(statement: Tree, name: string, edits: Edits): void {
  const { type, declaration, start } = statement;
  if (type !== 'ExportNamedDeclaration' || !declaration || isTypesOnly(statement)) return;
  edits.blank(start, declaration.start);
  const isClass = declaration.type === 'ClassDeclaration';
  if (!isClass && (declaration.type !== 'VariableDeclaration' || declaration.kind !== 'const')) return;
  const names = isClass ? [declaration.id.name] : namesOf(declaration).map(each => each.name);
  edits.after(declaration.end, `;${names.map(each => ` ${name}.${each} = ${each};`).join('')}`);
}

function namesOf({ declarations }: Tree): Tree[] {
  return declarations.flatMap(({ id }: Tree) => boundNames(id));
}

/** What earlier blocks of the namespace export is known in this one, if it has nothing of that name itself. */
function ofEarlierBlocks(names: readonly string[], block: Tree, before: readonly Tree[]): string[] {
  const own = new Set(
    block.body.flatMap((statement: Tree) => declaredBy(statement.declaration ?? statement)),
  );
  const taken = new Set<string>();
  for (const statement of before) {
    let other = statement.declaration ?? statement;
    const path: string[] = [];
    for (; other?.type === 'TSModuleDeclaration'; other = other.body) path.push(other.id.name);
    if (path.join('.') !== names.join('.') || other.type !== 'TSModuleBlock') continue;
    for (const { type, declaration } of other.body) {
      if (type !== 'ExportNamedDeclaration' || !declaration) continue;
      for (const name of declaredBy(declaration)) if (!own.has(name)) taken.add(name);
    }
  }
  return [...taken];
}

function declaredBy(declaration: Tree): string[] {
  if (declaration.type === 'VariableDeclaration') return namesOf(declaration).map(({ name }) => name);
  const isValue = /^(?:Function|Class|TSEnum|TSModule)Declaration$/.test(declaration.type);
  return isValue && declaration.id?.name ? [declaration.id.name] : [];
}
