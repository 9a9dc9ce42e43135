import type { Edits } from './edits.ts';
import { findToken, tokens } from './tokens.ts';
import { isOwnBody, type Tree, walk } from './tree.ts';
import { isTypesOnly } from './types-only.ts';

/** The function of class-decorators.ts, as a global. */
export const DECORATE = '__decorateClass';
/** What it hands to a class, in the class's own scope. */
const CLASS = '__class';

const { stringify } = JSON;

/** What stands before and after a class that is declared or exported, and decorated. */
export type Binds = (node: Tree, parents: readonly Tree[]) => { before: string; after?: string };

/**
 * Says in classes of today what decorators and accessors mean (https://github.com/tc39/proposal-decorators, as TypeScript has
 * it since 5.0). `binds` says, of a class that is declared with decorators of its own, how its name is declared.
 *
 * `@a class B { @c d() {} }` becomes `let B; B = __decorateClass([a], (__class) => ({ ["B"]: class { static #__class =
 * __class.define(this, "B", (_) => { B = _ }); static [__class.decorate([c], …)]() {} d() {} } })["B"]);`: whatever runs stays in
 * its place and in its order.
 */
export function lowerDecorators(tree: Tree, edits: Edits, binds: Binds): void {
  walk(tree, (node, parents) => {
    if (isTypesOnly(node)) return false;
    if (node.type === 'ClassDeclaration' || node.type === 'ClassExpression')
      lowerClass(node, parents, edits, binds);
    return true;
  });
}

/** Whether a class needs more than its accessors said otherwise. */
export function isDecorated({ decorators = [], body }: Tree): boolean {
  return (
    decorators.length > 0 ||
    body.body.some(
      (member: Tree) =>
        (member.decorators?.length > 0 && !isTypesOnly(member)) || (member.accessor && member.computed),
    )
  );
}

function lowerClass(node: Tree, parents: readonly Tree[], edits: Edits, binds: Binds): void {
  const isWrapped = isDecorated(node);
  let index = 0;
  for (const member of node.body.body) {
    if (isTypesOnly(member)) continue;
    lowerMember(member, { index: index++, edits });
  }
  if (isWrapped) wrap(node, parents, edits, binds);
}

function wrap(node: Tree, parents: readonly Tree[], edits: Edits, binds: Binds): void {
  const { source } = edits;
  const { decorators = [], id, body } = node;
  const parent = parents.at(-1);
  const exported = /^Export/.test(parent?.type) ? parent : null;
  const isDeclared = node.type === 'ClassDeclaration' && id !== null;
  const own = decorators.length > 0;
  const start = Math.min(node.start, exported?.start ?? node.start, decorators[0]?.start ?? node.start);
  const keyword = findToken(source, decorators.at(-1)?.end ?? node.start, body.start, 'class')!;
  // Whoever is decorated may be replaced, also for itself: its name is then the variable outside.
  const name: string | null = id?.name ?? nameFor(node, parent);
  const isRenamed = name !== null && (id === null || (own && isDeclared));
  let head = '';
  if (exported) dropExport(exported, decorators, keyword.start, edits);
  if (isDeclared || exported) {
    const { before, after } = binds(node, parents);
    head = isDeclared ? `${before}${id.name} = ` : before;
    if (after) edits.after(node.end, after);
  }
  const isFirst = decorators.length === 0 || decorators[0].start > keyword.start;
  const awaits = awaitsItself(node);
  edits.before(isFirst ? keyword.start : start, `${head}${awaits ? '(await ' : ''}${DECORATE}([`);
  listed(decorators, edits);
  const abstract = findToken(source, decorators.at(-1)?.end ?? node.start, keyword.start, 'abstract');
  if (abstract) edits.blank(abstract.start, abstract.end);
  const quoted = stringify(name);
  edits.before(
    keyword.start,
    `], ${awaits ? 'async ' : ''}(${CLASS}) => ${isRenamed ? `({ [${quoted}]: ` : ''}`,
  );
  if (isRenamed && id) edits.blank(id.start, id.end);
  const assigns = own && isDeclared ? `, (_) => { ${id.name} = _; }` : '';
  const define = ` static #__class = ${CLASS}.define(this, ${isRenamed ? quoted : 'null'}${assigns}); #__start = ${CLASS}.start(this);`;
  edits.after(body.start + 1, define);
  edits.after(
    node.end,
    `${isRenamed ? ` })[${quoted}]` : ''}${awaits ? ', true)' : ''})${isDeclared ? ';' : ''}`,
  );
}

/** Whether its superclass, a name or a decorator inside of it awaits something. */
function awaitsItself(node: Tree): boolean {
  let found = false;
  walk(node, (child, parents) => {
    if (child.type === 'AwaitExpression') found = true;
    return !found && !isOwnBody(child, parents.at(-1)) && !node.decorators?.includes(child);
  });
  return found;
}

/** `@a export class`, `export @a class` and `export default class`. */
function dropExport(exported: Tree, decorators: readonly Tree[], until: number, edits: Edits): void {
  const isDecorator = (at: number) => decorators.some(({ start, end }) => start <= at && at < end);
  for (const { text, start, end } of tokens(edits.source, exported.start, until)) {
    if ((text === 'export' || text === 'default') && !isDecorator(start)) edits.blank(start, end);
  }
}

/** `@a @b(c)` becomes `a, b(c)`. */
function listed(decorators: readonly Tree[], edits: Edits): void {
  decorators.forEach(({ start, end }, i) => {
    edits.replace(start, start + 1, ' ');
    if (i < decorators.length - 1) edits.after(end, ',');
  });
}

/** What a class without a name is called by where it stands. */
function nameFor(node: Tree, parent: Tree): string | null {
  switch (parent?.type) {
    case 'VariableDeclarator':
      return parent.init === node ? (parent.id.name ?? '') : '';
    case 'AssignmentExpression':
    case 'AssignmentPattern':
      return parent.right === node ? (parent.left.name ?? '') : '';
    case 'Property':
    case 'PropertyDefinition':
      return parent.value === node && !parent.computed ? String(parent.key.name ?? parent.key.value) : '';
    case 'ExportDefaultDeclaration':
      return 'default';
    default:
      return '';
  }
}

interface Place {
  readonly index: number;
  readonly edits: Edits;
}

function lowerMember(member: Tree, place: Place): void {
  const { decorators = [] } = member;
  if (decorators.length > 0) announce(member, place);
  if (member.type === 'PropertyDefinition') lowerField(member, place);
  else if (decorators.length > 0) lowerMethod(member, place);
}

/** A method that is gone when the class is made; its computed name runs the decorators' expressions where they stand. */
function announce(member: Tree, { index, edits }: Place): void {
  const { decorators, key, computed } = member;
  const kind = kindOf(member);
  const isPrivate = key.type === 'PrivateIdentifier';
  const name = computed ? 'null' : stringify(isPrivate ? `#${key.name}` : String(key.name ?? key.value));
  const about = [`${index}`, stringify(kind), `${member.static}`, name];
  if (isPrivate) {
    const own = `_.#${key.name}`;
    const readable = kind !== 'setter' ? `get: (_) => ${own}, ` : '';
    const writable = kind === 'setter' || kind === 'field' || kind === 'accessor';
    about.push(
      `{ has: (_) => #${key.name} in _, ${readable}${writable ? `set: (_, __) => { ${own} = __; }` : ''} }`,
    );
  }
  edits.before(decorators[0].start, `; static [${CLASS}.decorate([`);
  listed(decorators, edits);
  edits.after(decorators.at(-1).end, `], ${about.join(', ')})]() {}; `);
}

function kindOf({ type, kind, accessor }: Tree): string {
  if (type === 'PropertyDefinition') return accessor ? 'accessor' : 'field';
  return kind === 'get' ? 'getter' : kind === 'set' ? 'setter' : 'method';
}

/** A private method can't be replaced: it becomes a public one for as long as it takes, and what reads it a getter. */
function lowerMethod({ key, computed, kind, static: isStatic, end }: Tree, { index, edits }: Place): void {
  if (computed) return keyed(key, index, edits);
  if (key.type !== 'PrivateIdentifier') return;
  edits.replace(key.start, key.end, `[${CLASS}.hidden(${index})]`);
  const of = isStatic ? ' static' : '';
  const made = `${CLASS}.made[${index}]`;
  if (kind === 'set') edits.after(end, `${of} set #${key.name}(_) { ${made}.call(this, _); }`);
  else edits.after(end, `${of} get #${key.name}() { return ${made}${kind === 'get' ? '.call(this)' : ''}; }`);
}

function keyed(key: Tree, index: number, edits: Edits): void {
  edits.before(key.start, `${CLASS}.key(${index}, `);
  edits.after(key.end, ')');
}

function lowerField(member: Tree, place: Place): void {
  const { key, value, computed, accessor, static: isStatic, end, decorators = [] } = member;
  const { index, edits } = place;
  const { source } = edits;
  const isDecorated = decorators.length > 0;
  const of = isStatic ? ' static' : '';
  const hasEnd = source[end - 1] === ';';
  if (accessor) lowerAccessor(member, place);
  else if (computed && isDecorated) keyed(key, index, edits);
  if (!isDecorated) return;
  const name = stringify(computed ? '' : String(key.name ?? key.value));
  edits.after(end, `${hasEnd ? '' : ';'}${of} #__after${index} = ${CLASS}.after(${index}, this);`);
  const open = `${CLASS}.value(${index}, this, `;
  if (value) {
    const named = /^(?:Arrow)?Function|^Class/.test(value.type) && !value.id;
    edits.before(value.start, named ? `${open}({ [${name}]: ` : open);
    edits.after(value.end, named ? ` })[${name}])` : ')');
  } else {
    edits.after(hasEnd ? end - 1 : end, ` = ${open}void 0)`);
  }
}

/** `accessor x = 1` is a getter and a setter over a private field. */
function lowerAccessor(member: Tree, { index, edits }: Place): void {
  const { source } = edits;
  const { key, computed, static: isStatic, decorators = [], start } = member;
  const of = isStatic ? 'static ' : '';
  const field = `#__accessor${index}`;
  const from = decorators.at(-1)?.end ?? start;
  const word = tokens(source, from, key.start).findLast(({ text }) => text === 'accessor')!;
  const end = computed ? findToken(source, key.end, member.end, ']')!.end : key.end;
  const isPrivate = key.type === 'PrivateIdentifier';
  const made = decorators.length > 0 && isPrivate ? `${CLASS}.made[${index}]` : null;
  const get = made ? `${made}.get.call(this)` : `this.${field}`;
  const set = made ? `${made}.set.call(this, _)` : `this.${field} = _`;
  const text = source.slice(key.start, key.end);
  const bodies = ['() { return ', `${get}; } `, '(_) { ', `${set}; } `] as const;
  if (computed) {
    edits.replace(word.start, word.end, 'get');
    edits.before(key.start, `${CLASS}.key(${index}, `);
    edits.after(key.end, ')');
    const again = `${of}set [${CLASS}.keys[${index}]]`;
    edits.after(end, `${bodies[0]}${bodies[1]}${again}${bodies[2]}${bodies[3]}${of}${field}`);
  } else {
    const hidden = made
      ? `; ${of}get [${CLASS}.hidden(${index})]() { return this.${field}; } ${of}set [${CLASS}.hidden(${index})](_) { this.${field} = _; } `
      : '';
    edits.replace(
      word.start,
      key.end,
      `get ${text}${bodies[0]}${bodies[1]}${of}set ${text}${bodies[2]}${bodies[3]}${hidden}${of}${field}`,
    );
  }
}
