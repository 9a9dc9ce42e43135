import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');

/** The files of src/client/built, by their paths from the root: src/client as JavaScript with its types, which no platform has to be told how to read. */
export function builtClient(): Record<string, string> {
  const folder = mkdtempSync(join(tmpdir(), 'codebeaker-client-'));
  try {
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
    execFileSync(process.execPath, [tsc, '-p', join(ROOT, 'src/client'), '--outDir', folder], {
      stdio: 'inherit',
    });
    const names = readdirSync(folder).sort();
    return Object.fromEntries(
      names.map(name => [`src/client/built/${name}`, readFileSync(join(folder, name), 'utf8')]),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}
