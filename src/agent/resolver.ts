import { AT_FDCWD, c, check, cstring, E, errno, O, openDirectory, readLink, stat } from './libc.ts';

/** A file operation that can't be done; the message is for the client. */
export class Refusal extends Error {}

const MAX_LINKS = 40;
const DIRECTORY_MODE = 0o755;
const RWX = 7;

/** A name in an open directory. */
export interface Place {
  readonly dir: number;
  readonly name: Uint8Array;
}

/**
 * Finds paths below one root without ever leaving it: component by component from an open directory, following links
 * by hand. A link swapped while this runs changes nothing, since every step starts from a descriptor.
 */
export class Resolver {
  readonly root: string;
  readonly #rootFd: number;

  constructor(root: string) {
    this.root = root;
    this.#rootFd = check('openat', c.openat(AT_FDCWD, cstring(root), O.PATH | O.DIRECTORY | O.CLOEXEC, 0));
  }

  /**
   * Calls `use` with the directory that holds the last part of `path` and that part's name; `.` for the root itself.
   * The descriptor is closed afterwards.
   */
  at<T>(path: string, options: { follow: boolean; makeParents?: boolean }, use: (place: Place) => T): T {
    this.#reopen();
    const walk = new Walk(this, this.#rootFd, path, options);
    try {
      return use(walk.go());
    } finally {
      walk.close();
    }
  }

  /** A program that shuts the root shuts itself out, and the service with it: its owner opens it again. */
  #reopen(): void {
    const name = cstring(this.root);
    if (c.faccessat(AT_FDCWD, name, RWX, 0) < 0) c.fchmodat(AT_FDCWD, name, DIRECTORY_MODE, 0);
  }

  /** The parts of an absolute path below the root. */
  below(path: string): string[] | null {
    if (path === this.root) return [];
    return path.startsWith(`${this.root}/`) ? path.slice(this.root.length + 1).split('/') : null;
  }
}

class Walk {
  readonly #resolver: Resolver;
  readonly #path: string;
  readonly #follow: boolean;
  readonly #makeParents: boolean;
  readonly #rootFd: number;
  /** Directories entered, innermost last. */
  #entered: number[] = [];
  /** Parts still to go, next one last. */
  #rest: string[];
  #links = 0;

  constructor(
    resolver: Resolver,
    rootFd: number,
    path: string,
    { follow, makeParents = false }: { follow: boolean; makeParents?: boolean },
  ) {
    this.#resolver = resolver;
    this.#rootFd = rootFd;
    this.#path = path;
    this.#follow = follow;
    this.#makeParents = makeParents;
    const parts = resolver.below(path);
    if (!parts || path.includes('\0')) throw this.#leaves();
    this.#rest = parts.reverse();
  }

  close(): void {
    for (const fd of this.#entered.splice(0)) c.close(fd);
  }

  go(): Place {
    for (let part = this.#rest.pop(); part !== undefined; part = this.#rest.pop()) {
      if (part === '' || part === '.') continue;
      if (part === '..') {
        this.#leave();
        continue;
      }
      const place = this.#step(part);
      if (place) return place;
    }
    return { dir: this.#top, name: cstring('.') };
  }

  get #top(): number {
    return this.#entered.at(-1) ?? this.#rootFd;
  }

  get #last(): boolean {
    return this.#rest.every(part => part === '' || part === '.');
  }

  /** Goes one part further; gives the place when it is the last one. */
  #step(part: string): Place | null {
    const name = cstring(part);
    const fd = c.openat(this.#top, name, O.PATH | O.NOFOLLOW | O.CLOEXEC, 0);
    if (fd < 0) return this.#missing(name, errno());
    const { type } = stat(fd);
    if (type === 'symlink' && !(this.#last && !this.#follow)) {
      this.#enterLink(fd);
      return null;
    }
    if (this.#last) {
      c.close(fd);
      return { dir: this.#top, name };
    }
    if (type !== 'directory') {
      c.close(fd);
      throw new Refusal(`Not a directory: ${this.#path}`);
    }
    this.#entered.push(fd);
    return null;
  }

  #missing(name: Uint8Array, code: number): Place | null {
    if (code !== E.ENOENT) throw refusal(code, this.#path);
    if (this.#last) return { dir: this.#top, name };
    if (!this.#makeParents) throw new Refusal(`File not found: ${this.#path}`);
    if (c.mkdirat(this.#top, name, DIRECTORY_MODE) < 0 && errno() !== E.EEXIST)
      throw refusal(errno(), this.#path);
    this.#entered.push(openDirectory(this.#top, name));
    return null;
  }

  #enterLink(fd: number): void {
    const target = readLink(fd);
    c.close(fd);
    if (++this.#links > MAX_LINKS) throw new Refusal(`Too many symbolic links: ${this.#path}`);
    let parts = target.split('/');
    if (target.startsWith('/')) {
      const below = this.#resolver.below(target);
      if (!below) throw this.#leaves();
      this.close();
      parts = below;
    }
    this.#rest.push(...parts.reverse());
  }

  #leave(): void {
    const fd = this.#entered.pop();
    if (fd === undefined) throw this.#leaves();
    c.close(fd);
  }

  #leaves(): Refusal {
    return new Refusal(`Path leaves ${this.#resolver.root} through a symbolic link: ${this.#path}`);
  }
}

const SENTENCES: Readonly<Record<number, string>> = {
  [E.ENOENT]: 'File not found',
  [E.EEXIST]: 'File exists',
  [E.ENOTDIR]: 'Not a directory',
  [E.EISDIR]: 'Is a directory',
  [E.ENOTEMPTY]: 'Directory not empty',
  [E.ENOSPC]: 'No space left in the sandbox',
  [E.EACCES]: 'Permission denied',
  [E.EPERM]: 'Permission denied',
  [E.ELOOP]: 'Changed while it was used',
  [E.ENAMETOOLONG]: 'Name too long',
  [E.EINVAL]: 'Not possible',
};

export function refusal(code: number, path: string): Refusal {
  return new Refusal(`${SENTENCES[code] ?? `Failed (errno ${code})`}: ${path}`);
}
