import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** All that can be seen of what has a name: kind, permissions, size, times of change in nanoseconds, content, and with what it shares it. */
export function listing(root: string): Map<string, string> {
  const found = new Map<string, string>();
  const names = new Map<bigint, string>();
  const add = (path: string) => {
    const full = join(root, path);
    const status = lstatSync(full, { bigint: true });
    const kind = Number(status.mode & 0o170000n);
    const content = kind === 0o100000 ? digest(full) : kind === 0o120000 ? readlinkSync(full, 'latin1') : '';
    const same = names.get(status.ino) ?? path;
    names.set(status.ino, same);
    const links = kind === 0o040000 ? '' : `${status.nlink} ${same}`;
    const size = kind === 0o040000 ? '' : status.size;
    found.set(path, `${status.mode.toString(8)} ${size} ${status.mtimeNs} ${links} ${content}`);
    if (kind !== 0o040000) return;
    for (const name of readdirSync(full).sort()) add(path === '.' ? name : join(path, name));
  };
  add('.');
  return found;
}

function digest(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}
