import {
  AT_REMOVEDIR,
  c,
  check,
  cstring,
  decode,
  E,
  errno,
  names,
  openDirectory,
  RENAME_NOREPLACE,
  stat,
} from './libc.ts';

/** Descriptors held at once while a tree is removed; deeper directories are moved up first. */
const MAX_HELD = 64;
/** A listing holds a descriptor per level. */
const MAX_LISTED_DEPTH = 500;

/** Removes everything in an open directory, however deep it is, and follows no link. */
export function empty(top: number): void {
  const strays: Uint8Array[] = [];
  let count = 0;
  const stray = () => cstring(`.removing-${count++}`);
  removeIn(top, 1);
  for (let name = strays.pop(); name; name = strays.pop()) {
    const fd = enter(top, name);
    removeIn(fd, 2);
    c.close(fd);
    c.unlinkat(top, name, AT_REMOVEDIR);
  }

  function removeIn(dir: number, depth: number): void {
    for (const name of [...names(dir)]) {
      if (strays.some(own => own.length === name.length && own.every((byte, i) => byte === name[i])))
        continue;
      if (c.unlinkat(dir, name, 0) === 0) continue;
      if (errno() !== E.EISDIR) check('unlinkat', -1);
      if (depth >= MAX_HELD) moveUp(dir, name);
      else removeDirectory(dir, name, depth);
    }
  }

  function removeDirectory(dir: number, name: Uint8Array, depth: number): void {
    const fd = enter(dir, name);
    try {
      removeIn(fd, depth + 1);
    } finally {
      c.close(fd);
    }
    check('unlinkat', c.unlinkat(dir, name, AT_REMOVEDIR));
  }

  function moveUp(dir: number, name: Uint8Array): void {
    let to = stray();
    while (c.renameat2(dir, name, top, to, RENAME_NOREPLACE) < 0) {
      if (errno() !== E.EEXIST) check('renameat2', -1);
      to = stray();
    }
    strays.push(to);
  }
}

/** Opens a directory whose content is to go, also one that its owner has shut. */
function enter(dir: number, name: Uint8Array): number {
  c.fchmodat(dir, name, 0o700, 0);
  return openDirectory(dir, name);
}

export type Listed = [name: string, path: string, type: string, size: number, modifiedAt: number];

/** Entries below an open directory, parents before children, names in order. `base` is its path in the answer. */
export function* walk(
  top: number,
  base: string,
  options: { recursive: boolean; includeHidden: boolean; maxDepth: number },
): Generator<Listed> {
  yield* walkIn(top, base, 1);

  function* walkIn(dir: number, prefix: string, depth: number): Generator<Listed> {
    for (const name of [...names(dir)].sort(Buffer.compare)) {
      if (name[0] === 46 && !options.includeHidden) continue;
      const entry = describe(dir, name, prefix);
      if (!entry) continue;
      yield entry;
      const within = options.recursive && depth < (options.maxDepth || MAX_LISTED_DEPTH);
      if (entry[2] === 'directory' && within) yield* into(dir, name, entry[1], depth);
    }
  }

  function* into(dir: number, name: Uint8Array, path: string, depth: number): Generator<Listed> {
    let fd: number;
    try {
      fd = openDirectory(dir, name);
    } catch {
      return;
    }
    try {
      yield* walkIn(fd, path, depth + 1);
    } finally {
      c.close(fd);
    }
  }
}

/** Null for what has gone meanwhile. */
function describe(dir: number, name: Uint8Array, prefix: string): Listed | null {
  const text = decode(name.subarray(0, -1));
  try {
    const { type, size, modifiedAt } = stat(dir, name);
    return [text, prefix ? `${prefix}/${text}` : text, type, size, modifiedAt];
  } catch {
    return null;
  }
}
