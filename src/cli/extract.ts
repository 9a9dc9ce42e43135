import { lstat, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { makeDirectories } from '../make-directories.ts';
import { printable } from './printable.ts';
import { replaceFile } from './replace-file.ts';
import { readTar, type TarEntry, TarError } from './tar-reader.ts';
import { unwritten } from './unwritten.ts';

/** Of an entry's mode: its permissions, without the bits that lend a user's or group's rights. */
const PERMISSIONS = 0o777;
/** Names of what was left out that are told; the rest is counted. */
const MOST_NAMES = 20;

export interface Extracted {
  readonly files: number;
  /** Links, and the first names of them as they may be shown. */
  readonly leftOut: { readonly count: number; readonly names: readonly string[] };
}

/**
 * Unpacks an archive that a stranger may have made into a directory, which is made if it is missing. Nothing outside of it is touched:
 * names that lead out, devices and what is no file or directory end it, links are left out, and no link that lies there already is
 * followed. A file is replaced whole. @throws {TarError}
 */
export async function extract(source: AsyncIterable<Uint8Array>, target: string): Promise<Extracted> {
  makeTarget(target);
  const made = new Set<string>();
  const names: string[] = [];
  let [files, links] = [0, 0];
  for await (const entry of readTar(source)) {
    const parts = partsOf(entry.name);
    if (entry.type === 'link' || entry.type === 'symlink') {
      if (++links <= MOST_NAMES) names.push(printable(entry.name));
      continue;
    }
    if (entry.type === 'other')
      throw new TarError(`${printable(entry.name)} is neither a file nor a directory`);
    if (entry.type === 'directory') await makeBelow(target, parts, made);
    else {
      await makeFile(entry, { target, parts, made });
      files++;
    }
  }
  return { files, leftOut: { count: links, names } };
}

function makeTarget(path: string): void {
  try {
    makeDirectories(path);
  } catch (error) {
    throw unwritten(path, error);
  }
}

/** @throws {TarError} for what leads elsewhere, on any system */
function partsOf(name: string): string[] {
  const parts = name.split('/').filter(part => part !== '' && part !== '.');
  if (name.startsWith('/') || parts.includes('..'))
    throw new TarError(`${printable(name)} leads out of the directory`);
  // Windows has other separators, drives and streams.
  if (name.includes('\0') || (process.platform === 'win32' && /[\\:]/.test(name)))
    throw new TarError(`${printable(name)} can't be a name here`);
  return parts;
}

async function makeFile(
  { name, mode, data }: TarEntry,
  { target, parts, made }: { target: string; parts: readonly string[]; made: Set<string> },
): Promise<void> {
  if (parts.length === 0) throw new TarError(`${printable(name)} is no name of a file`);
  await makeBelow(target, parts.slice(0, -1), made);
  const path = join(target, ...parts);
  await replaceFile(path, data, mode & PERMISSIONS).catch(error => {
    throw unwritten(path, error);
  });
}

/** Each must be a directory itself: a link would lead elsewhere. */
async function makeBelow(target: string, parts: readonly string[], made: Set<string>): Promise<void> {
  let path = target;
  for (const part of parts) {
    path = join(path, part);
    if (made.has(path)) continue;
    await mkdir(path, { mode: PERMISSIONS }).catch(error => {
      if (error.code !== 'EEXIST') throw unwritten(path, error);
    });
    if (!(await lstat(path)).isDirectory())
      throw new TarError(`${printable(path)} is there and no directory, so that nothing is put below it`);
    made.add(path);
  }
}
