import type { Edits } from './edits.ts';
import { findToken } from './tokens.ts';
import { bare, type Tree, walk } from './tree.ts';

const { stringify } = JSON;

/** `enum A { B, C = 'c' }` becomes `var A = ((A) => { A[A["B"] = 0] = "B"; A["C"] = 'c'; return A })(A || {});`. */
export function eraseEnum(
  node: Tree,
  edits: Edits,
  { declares, home }: { declares: string; home: string | null },
): void {
  const { source } = edits;
  const { name } = node.id;
  const open = findToken(source, node.id.end, node.end, '{')!;
  const outer = home ? `${home}.${name}` : name;
  const also = home ? `${outer} = ` : '';
  edits.replace(node.start, open.end, `${declares}${name} = ${also}((${name}) => {`);
  const known = new Map<string, Member>();
  let before: Member | null = null;
  for (const member of node.members) before = eraseMember(member, name, { before, known, edits });
  edits.replace(node.end - 1, node.end, `; return ${name} })(${outer} || {});`);
}

/** What is known of a member before it runs. */
interface Member {
  readonly key: string;
  /** A text has no name by value. */
  readonly isText: boolean;
  readonly value: number | null;
}

function eraseMember(
  { id, initializer, start, end }: Tree,
  name: string,
  { before, known, edits }: { before: Member | null; known: Map<string, Member>; edits: Edits },
): Member {
  const key: string = id.type === 'Identifier' ? id.name : String(id.value);
  const quoted = stringify(key);
  const isText = initializer ? textIn(initializer, known) : false;
  const value = initializer ? numberIn(initializer) : next(before);
  const head = isText ? `${name}[${quoted}] = ` : `${name}[${name}[${quoted}] = `;
  const tail = isText ? '' : `] = ${quoted}`;
  if (initializer) {
    edits.replace(start, initializer.start, head);
    qualify(initializer, name, known, edits);
    edits.after(end, tail);
  } else {
    edits.replace(start, end, `${head}${value ?? `${name}[${stringify(before!.key)}] + 1`}${tail}`);
  }
  const comma = /^(?:\s|\/\/[^\n]*|\/\*[\s\S]*?\*\/)*,/.exec(edits.source.slice(end));
  if (comma) edits.replace(end + comma[0].length - 1, end + comma[0].length, ';');
  const member = { key, isText, value };
  known.set(key, member);
  return member;
}

function next(before: Member | null): number | null {
  if (before === null) return 0;
  return before.value === null ? null : before.value + 1;
}

function numberIn(initializer: Tree): number | null {
  const node = bare(initializer);
  if (node.type === 'Literal' && typeof node.value === 'number') return node.value;
  const { operator, argument } = node;
  return node.type === 'UnaryExpression' && operator === '-' && typeof argument.value === 'number'
    ? -argument.value
    : null;
}

function textIn(initializer: Tree, known: Map<string, Member>): boolean {
  const node = bare(initializer);
  if (node.type === 'TemplateLiteral') return true;
  if (node.type === 'Literal') return typeof node.value === 'string';
  if (node.type === 'Identifier') return known.get(node.name)?.isText ?? false;
  if (node.type === 'MemberExpression')
    return known.get(node.property.name ?? node.property.value)?.isText ?? false;
  return (
    node.type === 'BinaryExpression' &&
    node.operator === '+' &&
    (textIn(node.left, known) || textIn(node.right, known))
  );
}

/** Members are known to each other by their bare names. */
function qualify(initializer: Tree, name: string, known: Map<string, Member>, edits: Edits): void {
  walk(initializer, (node, parents) => {
    const parent = parents.at(-1);
    if (node.type !== 'Identifier' || !known.has(node.name)) return;
    if (parent && !parent.computed && (parent.property === node || parent.key === node)) return;
    edits.before(node.start, `${name}.`);
  });
}
