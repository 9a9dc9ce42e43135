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
const ATTEMPTS = 5;
/** A listing holds a descriptor per level. */
const MAX_LISTED_DEPTH = 500;
/** Longer paths can't be named in a request, nor by a program. See PATH_MAX in limits.h. */
const MAX_PATH_CHARACTERS = 4096;

/**
 * Removes everything in an open directory, however deep it is, and follows no link. What a program removes meanwhile
 * is no failure; where it adds, it is tried again a few times.
 */
export function empty(top: number): void {
  const strays: Uint8Array[] = [];
  removeIn(top, 1);
  for (let name = strays.pop(); name; name = strays.pop()) remove(top, name, 1);

  function removeIn(dir: number, depth: number): void {
    for (const name of [...names(dir)]) {
      if (c.unlinkat(dir, name, 0) === 0 || errno() === E.ENOENT) continue;
      if (errno() !== E.EISDIR) check('unlinkat', -1);
      if (depth >= MAX_HELD) moveUp(dir, name);
      else remove(dir, name, depth);
    }
  }

  function remove(dir: number, name: Uint8Array, depth: number): void {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const fd = enter(dir, name);
      try {
        removeIn(fd, depth + 1);
      } finally {
        c.close(fd);
      }
      if (c.unlinkat(dir, name, AT_REMOVEDIR) === 0 || errno() === E.ENOENT) return;
    }
    check('unlinkat', -1);
  }

  function moveUp(dir: number, name: Uint8Array): void {
    const to = cstring(`.removing-${crypto.randomUUID()}`);
    check('renameat2', c.renameat2(dir, name, top, to, RENAME_NOREPLACE));
    strays.push(to);
  }
}

/** Removes a directory and everything in it. */
export function removeDirectory(dir: number, name: Uint8Array): number {
  const fd = enter(dir, name);
  try {
    empty(fd);
  } finally {
    c.close(fd);
  }
  return check('unlinkat', c.unlinkat(dir, name, AT_REMOVEDIR));
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
      if (entry[2] === 'directory' && within && entry[1].length < MAX_PATH_CHARACTERS)
        yield* into(dir, name, entry[1], depth);
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
