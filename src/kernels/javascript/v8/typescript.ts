import module from 'node:module';

/** A cell as JavaScript, and on which of its own lines each of its lines was. */
export interface JavaScript {
  readonly code: string;
  lineOf(line: number): number;
}

type Strip = (code: string, options: { mode: 'strip' | 'transform'; sourceMap?: boolean }) => string;
const SAME = (line: number) => line;
/** Line of the source by line of the script, of cells whose lines were moved. */
const moved = new Map<string, (line: number) => number>();

/**
 * Types alone are blanked out, and every line stays where it is. Enums, namespaces and parameter properties need more than
 * that; a source map then tells where lines were. A syntax error is V8's to tell: the code is returned as it is.
 */
export function toJavaScript(code: string, typescript: boolean, cell: number): JavaScript {
  if (!typescript) return { code, lineOf: SAME };
  const strip = module.stripTypeScriptTypes as Strip;
  try {
    return { code: strip(code, { mode: 'strip' }), lineOf: SAME };
  } catch {
    // It needs more than that.
  }
  try {
    const text = strip(code, { mode: 'transform', sourceMap: true });
    const [script = '', map] = text.split('\n//# sourceMappingURL=data:application/json;base64,') as [
      string,
      string?,
    ];
    const lineOf = map ? linesOf(JSON.parse(atob(map.trim())).mappings) : SAME;
    moved.set(`<cell-${cell}>`, lineOf);
    return { code: script, lineOf };
  } catch {
    return { code, lineOf: SAME };
  }
}

/** Where a frame of the program's really was. */
export function ownLine(file: string, line: number): number {
  return moved.get(file)?.(line) ?? line;
}

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
/** Of a segment: column, source, line, column, each as a difference (ECMA-426, "Mappings"). */
const LINE_FIELD = 2;

function linesOf(mappings: string): (line: number) => number {
  const lines: number[] = [];
  let at = 0;
  for (const [i, text] of mappings.split(';').entries()) {
    for (const segment of text.split(',')) {
      at += fieldsOf(segment)[LINE_FIELD] ?? 0;
      lines[i] ??= at + 1;
    }
  }
  return line => lines[line - 1] ?? line;
}

/** Base64 digits of five bits, lowest first, the sign in the lowest. */
function fieldsOf(segment: string): number[] {
  const fields: number[] = [];
  let value = 0;
  let shift = 0;
  for (const letter of segment) {
    const digit = DIGITS.indexOf(letter);
    value |= (digit & 31) << shift;
    shift += 5;
    if (digit & 32) continue;
    fields.push(value & 1 ? -(value >>> 1) : value >>> 1);
    value = shift = 0;
  }
  return fields;
}
