import { basename } from 'node:path/posix';
import type { Entry } from '../../src/service/service.ts';
import { USER } from './access.ts';
import { seenPath } from './paths.ts';

/** `FileType` of spec/envd/filesystem/filesystem.proto of E2B. */
const TYPES = {
  file: 'FILE_TYPE_FILE',
  directory: 'FILE_TYPE_DIRECTORY',
  symlink: 'FILE_TYPE_SYMLINK',
  other: 'FILE_TYPE_UNSPECIFIED',
} as const;
const LETTERS = { file: '-', directory: 'd', symlink: 'L', other: '?' } as const;
const PERMISSIONS = 0o777;
const NANOSECONDS = 1_000_000_000n;

/**
 * `EntryInfo` as JSON: 64 bits are a text. The one user inside owns what can be written, and is shown as owner of all. `kind`: what it is told
 * to be, its own type by default.
 */
export function entryInfo(entry: Entry, kind = entry.type): object {
  const { path, type, size, mode, modifiedAt, target, metadata } = entry;
  const seen = seenPath(path);
  return {
    name: basename(seen),
    type: TYPES[kind],
    path: seen,
    size: String(size),
    mode: mode & PERMISSIONS,
    permissions: LETTERS[type] + permissionText(mode),
    owner: USER,
    group: USER,
    modifiedTime: timestamp(modifiedAt),
    ...(target !== null && { symlinkTarget: seenPath(target) }),
    ...(Object.keys(metadata).length > 0 && { metadata }),
  };
}

function permissionText(mode: number): string {
  return [6, 3, 0]
    .map(shift => {
      const bits = (mode >> shift) & 7;
      return (bits & 4 ? 'r' : '-') + (bits & 2 ? 'w' : '-') + (bits & 1 ? 'x' : '-');
    })
    .join('');
}

/** RFC 3339 with nanoseconds, in the years that a timestamp of protobuf has. */
function timestamp(nanoseconds: bigint): string {
  const seconds = Number(nanoseconds / NANOSECONDS);
  const within = Math.min(Math.max(seconds, -62_135_596_800), 253_402_300_799);
  const rest = within === seconds ? nanoseconds % NANOSECONDS : 0n;
  const text = new Date(within * 1000).toISOString().replace(/\.\d+Z$/, '');
  return `${text}.${String(rest < 0n ? 0n : rest).padStart(9, '0')}Z`;
}
