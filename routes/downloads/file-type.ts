import { extname } from 'node:path/posix';

const UNKNOWN = 'application/octet-stream';
const TEXT = 'text/plain; charset=utf-8';

/**
 * Types that no browser runs, by ending. A stranger wrote these files: what could be a page, a script, a style sheet or a module is
 * told as bytes, and is never shown but saved.
 */
const TYPES: Readonly<Record<string, string>> = {
  '.csv': 'text/csv; charset=utf-8',
  '.gif': 'image/gif',
  '.gz': 'application/gzip',
  '.jpeg': 'image/jpeg',
  '.jpg': 'image/jpeg',
  '.json': 'application/json',
  '.log': TEXT,
  '.md': TEXT,
  '.mp3': 'audio/mpeg',
  '.mp4': 'video/mp4',
  '.png': 'image/png',
  '.py': TEXT,
  '.tar': 'application/x-tar',
  '.txt': TEXT,
  '.wav': 'audio/wav',
  '.webp': 'image/webp',
  '.zip': 'application/zip',
};

/** Endings of what becomes smaller when it is compressed. */
const COMPRESSIBLE = new Set([
  ...['.c', '.cpp', '.cs', '.css', '.csv', '.go', '.h', '.htm', '.html', '.ipynb', '.java', '.js', '.json'],
  ...['.jsonl', '.log', '.md', '.mjs', '.ndjson', '.py', '.rs', '.sh', '.sql', '.svg', '.toml', '.ts'],
  ...['.tsv', '.tsx', '.txt', '.xml', '.yaml', '.yml'],
]);

export function typeOf(path: string): string {
  return TYPES[extname(path).toLowerCase()] ?? UNKNOWN;
}

export function isCompressible(path: string): boolean {
  return COMPRESSIBLE.has(extname(path).toLowerCase());
}
