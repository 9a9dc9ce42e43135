import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');

/**
 * The files of `into`, by their paths from the root: the modules of `from` as JavaScript, which no platform has to be told how to read, with their
 * types where its tsconfig.json wants them.
 */
export function builtModules({ from, into }: { from: string; into: string }): Record<string, string> {
  const folder = mkdtempSync(join(tmpdir(), 'codebeaker-built-'));
  try {
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
    execFileSync(process.execPath, [tsc, '-p', join(ROOT, from), '--outDir', folder], {
      stdio: 'inherit',
    });
    const names = readdirSync(folder).sort();
    return Object.fromEntries(
      names.map(name => [`${into}/${name}`, readFileSync(join(folder, name), 'utf8')]),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}
