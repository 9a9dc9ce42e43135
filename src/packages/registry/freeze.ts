import { createHash, hash } from 'node:crypto';
import { closeSync, constants, mkdirSync, openSync, symlinkSync, writeSync } from 'node:fs';
import { posix } from 'node:path';
import type { TreeEntry } from './tree-reader.ts';

/** A tree holds what a layer can't; the message says what, for who asked for it. */
export class BadTree extends Error {}
/** A tree is over what a layer may be. */
export class TreeTooLarge extends Error {}

export interface FrozenFile {
  readonly sha256: string;
  readonly bytes: number;
  readonly executable: boolean;
}

export interface FrozenTree {
  /** SHA-256 of what it holds: paths, what is executable, contents, links. */
  readonly id: string;
  readonly bytes: number;
  readonly files: ReadonlyMap<string, FrozenFile>;
  /** What each leads to. */
  readonly links: ReadonlyMap<string, string>;
  /** Contents of the files that were to be kept. */
  readonly texts: ReadonlyMap<string, string>;
}

export interface Bounds {
  readonly bytes: number;
  readonly entries: number;
}

const MAX_NAME_BYTES = 255;
/** Of all texts that are kept, bytes. */
const MAX_TEXTS_BYTES = 32 * 1024 * 1024;
const SPECIAL_MODES = 0o7000;
const EXECUTABLE = 0o111;
// biome-ignore lint/suspicious/noControlCharactersInRegex: names that hold some are refused
const CONTROL = /[\u0000-\u001f\u007f]/;
const NEW = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/**
 * Writes a tree that comes out of a sandbox into `directory`, which is new and empty, and checks it as it comes: regular files,
 * directories and, with `links`, relative links that stay inside; nothing else. `keeps` picks files whose text the caller wants.
 * @throws {BadTree | TreeTooLarge}
 */
export function freeze(
  entries: Iterable<TreeEntry>,
  directory: string,
  options: { bounds: Bounds; links: boolean; keeps: (path: string) => boolean },
): FrozenTree {
  const { bounds, keeps } = options;
  const files = new Map<string, FrozenFile>();
  const links = new Map<string, string>();
  const texts = new Map<string, string>();
  const known = new Map<string, string>([['', 'directory']]);
  const lines: string[] = [];
  let bytes = 0;
  let textBytes = 0;
  for (const entry of entries) {
    const { path, type } = entry;
    check(entry, known);
    known.set(path, type);
    bytes += entry.bytes;
    if (known.size > bounds.entries) throw new TreeTooLarge(`more than ${bounds.entries} files`);
    if (bytes > bounds.bytes) throw new TreeTooLarge(`more than ${bounds.bytes} bytes`);
    const target = `${directory}/${path}`;
    if (type === 'directory') mkdirSync(target, { mode: 0o755 });
    else if (type === 'link') {
      const to = linkOf(entry, options.links);
      symlinkSync(to, target);
      links.set(path, to);
      lines.push(`${path}\0link\0${to}`);
    } else {
      const kept = keeps(path);
      if (kept) textBytes += entry.bytes;
      if (textBytes > MAX_TEXTS_BYTES) throw new TreeTooLarge('too many records');
      const written = write(entry, target, kept);
      files.set(path, written.file);
      if (kept) texts.set(path, written.text);
      lines.push(`${path}\0${written.file.executable ? 'x' : '-'}\0${written.file.sha256}`);
    }
  }
  const id = createHash('sha256').update(lines.sort().join('\n')).digest('hex');
  return { id, bytes, files, links, texts };
}

function check({ path, type, mode }: TreeEntry, known: ReadonlyMap<string, string>): void {
  const shown = () => JSON.stringify(path.slice(0, 200));
  if (CONTROL.test(path)) throw new BadTree(`a name with a control character: ${shown()}`);
  for (const name of path.split('/')) {
    if (name === '' || name === '.' || name === '..')
      throw new BadTree(`a path that leads elsewhere: ${shown()}`);
    if (Buffer.byteLength(name) > MAX_NAME_BYTES) throw new BadTree(`a name that is too long: ${shown()}`);
  }
  const parent = path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '';
  if (known.get(parent) !== 'directory') throw new BadTree(`a path through what is no directory: ${shown()}`);
  if (known.has(path)) throw new BadTree(`one name twice: ${shown()}`);
  if (type === 'other') throw new BadTree(`a device, socket or named pipe: ${shown()}`);
  if (type === 'file' && mode & SPECIAL_MODES)
    throw new BadTree(`a file that is setuid, setgid or sticky: ${shown()}`);
}

function linkOf({ path, content }: TreeEntry, allowed: boolean): string {
  const target = Buffer.concat([...content]).toString('utf8');
  const resolved = posix.join(posix.dirname(path), target);
  // Up again after a name, it might pass through another link.
  const winding = posix.normalize(target) !== target;
  const outside = winding || target.startsWith('/') || resolved === '..' || resolved.startsWith('../');
  if (!allowed || outside || target === '' || CONTROL.test(target))
    throw new BadTree(`a link that leads elsewhere: ${JSON.stringify(path.slice(0, 200))}`);
  return target;
}

function write(entry: TreeEntry, target: string, kept: boolean): { file: FrozenFile; text: string } {
  const executable = (entry.mode & EXECUTABLE) !== 0;
  const whole = Array.isArray(entry.content) ? (entry.content[0] as Uint8Array) : null;
  const hashed = whole ? null : createHash('sha256');
  const pieces: Uint8Array[] = [];
  const fd = openSync(target, NEW, executable ? 0o755 : 0o644);
  try {
    for (const piece of entry.content) {
      hashed?.update(piece);
      if (kept) pieces.push(Buffer.from(piece));
      for (let at = 0; at < piece.byteLength; ) at += writeSync(fd, piece, at);
    }
  } finally {
    closeSync(fd);
  }
  // Of a small file, its making takes longer than all else of a hash that is fed.
  const sha256 = whole ? hash('sha256', whole) : hashed!.digest('hex');
  const file = { sha256, bytes: entry.bytes, executable };
  return { file, text: Buffer.concat(pieces).toString('utf8') };
}
