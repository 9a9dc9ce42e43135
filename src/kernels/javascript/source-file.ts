import { statSync } from 'node:fs';

/** What an import may leave out, in the order in which it is looked for. */
const ENDINGS = ['.ts', '.tsx', '.mts', '.cts', '.js', '.mjs', '.cjs', '.jsx', '.json'];
/** A file of TypeScript is imported by the name of what it is compiled to. */
const COMPILED: readonly [string, readonly string[]][] = [
  ['.js', ['.ts', '.tsx']],
  ['.jsx', ['.tsx']],
  ['.mjs', ['.mts']],
  ['.cjs', ['.cts']],
];

/** The file that is meant by a path that may lack its ending, or have a compiled one; null when there is none. */
export function sourceFile(path: string): string | null {
  if (isFile(path)) return path;
  for (const [ending, sources] of COMPILED) {
    if (!path.endsWith(ending)) continue;
    const stem = path.slice(0, -ending.length);
    for (const source of sources) if (isFile(stem + source)) return stem + source;
  }
  for (const start of [path, `${path}/index`])
    for (const ending of ENDINGS) if (isFile(start + ending)) return start + ending;
  return null;
}

function isFile(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
  } catch {
    return false;
  }
}
