import { parseModule, Unparsed } from '../syntax/parse.ts';

/** As they were before a cell could replace them. */
const SyntaxErrorType = SyntaxError;

/**
 * Has a syntax error tell the file that it is of, in its stack before all else, where V8 tells it to a terminal alone.
 *
 * @param paths files that were being loaded
 */
export function tellUnread(error: unknown, paths: readonly string[]): void {
  if (!(error instanceof SyntaxErrorType) || !error.stack?.startsWith(`SyntaxError: ${error.message}`))
    return;
  if (error.message.includes('file://')) return;
  for (const path of paths) {
    const place = placeIn(path);
    if (place === null) continue;
    error.stack = `${place}\n${error.stack}`;
    return;
  }
}

/** Null for a file that can be read. */
function placeIn(path: string): string | null {
  try {
    const code = process.getBuiltinModule('node:fs').readFileSync(path, 'utf8');
    try {
      parseModule(code, /\.[cm]?ts$/.test(path));
    } catch (error) {
      if (!(error instanceof Unparsed)) throw error;
      const { line, column } = error;
      return `${path}:${line}:${column}\n${code.split('\n')[line - 1] ?? ''}\n${' '.repeat(column - 1)}^`;
    }
  } catch {
    // It has gone.
  }
  return null;
}
