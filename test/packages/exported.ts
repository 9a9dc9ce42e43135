import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { agentFile, SANITIZER_ENV } from '../agent/builds.ts';

/** What `agent export` says of a directory that holds one other, which `make` fills. */
export function exported(make: (path: string) => void, name = 'python'): Buffer {
  const root = mkdtempSync(join(tmpdir(), 'codebeaker-tree-'));
  try {
    mkdirSync(join(root, name));
    make(join(root, name));
    const options = { maxBuffer: 64 * 1024 * 1024, env: SANITIZER_ENV };
    return execFileSync(agentFile('sanitized'), ['export', root], options);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}
