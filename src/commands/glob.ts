import { invalid } from '../errors.ts';

const MAX_ALTERNATIVES = 64;

/** Any run of characters (`*`), or of directories (`**`). */
const STAR = Symbol('star');
type Star = typeof STAR;
/** A character itself, or whether one fits. */
type Token = string | ((char: string) => boolean);

/**
 * Makes a matcher of whole paths from a glob: `*`, `?`, `[a-z]`, `[!a-z]`, `**` for directories, `{a,b}`, and a
 * backslash before what is meant literally. Written by hand because both the pattern and the names come from outside:
 * whatever turns globs into regular expressions can be kept busy for hours by either.
 * @throws {ServiceError} VALIDATION_ERROR when the braces make too many alternatives
 */
export function globMatcher(pattern: string, field: string): (path: string) => boolean {
  const alternatives = expand(pattern, field).map(each => each.split('/').map(readPart));
  return path => {
    const parts = path.split('/').map(part => Array.from(part));
    return alternatives.some(each => walk(each, parts, matchesPart));
  };
}

/** On a mismatch it goes back to the last star and no further: at most pattern × text steps. */
function walk<T, U>(
  pattern: readonly (T | Star)[],
  text: readonly U[],
  fits: (token: T, unit: U) => boolean,
) {
  let p = 0;
  let t = 0;
  let star = -1;
  let taken = 0;
  while (t < text.length) {
    const token = pattern[p];
    if (token === STAR) {
      star = p++;
      taken = t;
    } else if (token !== undefined && fits(token as T, text[t]!)) {
      p++;
      t++;
    } else if (star < 0) return false;
    else {
      p = star + 1;
      t = ++taken;
    }
  }
  while (pattern[p] === STAR) p++;
  return p === pattern.length;
}

function matchesPart(pattern: readonly (Token | Star)[], part: readonly string[]): boolean {
  return walk(pattern, part, (token: Token, char) =>
    typeof token === 'string' ? token === char : token(char),
  );
}

function readPart(part: string): (Token | Star)[] | Star {
  if (part === '**') return STAR;
  const tokens: (Token | Star)[] = [];
  for (const [piece] of part.matchAll(/\*+|\[!?\]?[^\]]*\]|\\.|./gsu)) tokens.push(readToken(piece));
  return tokens;
}

function readToken(piece: string): Token | Star {
  if (piece.startsWith('*')) return STAR;
  if (piece === '?') return () => true;
  if (piece.length === 1) return piece;
  return piece.startsWith('[') ? characterClass(piece.slice(1, -1)) : piece.slice(1);
}

function characterClass(inside: string): (char: string) => boolean {
  const negated = inside.startsWith('!');
  const ranges = [...inside.slice(negated ? 1 : 0).matchAll(/(.)-(.)|(.)/gsu)].map(
    ([, from, to, only]) => [only ?? from!, only ?? to!] as const,
  );
  return char => negated !== ranges.some(([from, to]) => from <= char && char <= to);
}

/** `{a,b}c` → `ac`, `bc`; the innermost braces first. */
function expand(pattern: string, field: string): string[] {
  let some = [pattern];
  for (;;) {
    const next = some.flatMap(each => {
      const [whole, before = '', words = '', after = ''] = /^(.*?)\{([^{}]*,[^{}]*)\}(.*)$/s.exec(each) ?? [];
      return whole === undefined ? [each] : words.split(',').map(word => before + word + after);
    });
    if (next.length > MAX_ALTERNATIVES) throw invalid(field, `means over ${MAX_ALTERNATIVES} patterns`);
    if (next.length === some.length) return some;
    some = next;
  }
}
