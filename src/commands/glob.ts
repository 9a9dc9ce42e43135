import { invalid } from '../errors.ts';

const MAX_ALTERNATIVES = 64;
/** Comparisons of one matcher, over all paths: some tenths of a second. */
const MAX_STEPS = 20_000_000;
/** The same over all texts: some hundredths. */
const MAX_TEXT_STEPS = 2_000_000;

/** Any run of characters (`*`), or of directories (`**`). */
const STAR = Symbol('star');
type Star = typeof STAR;
/** A character itself, or whether one fits. */
type Token = string | ((char: string) => boolean);

/**
 * Makes a matcher of whole paths from a glob: `*`, `?`, `[a-z]`, `[!a-z]`, `**` for directories, `{a,b}`, and a
 * backslash before what is meant literally. Written by hand because both the pattern and the names come from outside:
 * whatever turns globs into regular expressions can be kept busy for hours by either.
 * @throws {ServiceError} VALIDATION_ERROR when the braces make too many alternatives, and the matcher when it has had
 * too much to do
 */
export function globMatcher(pattern: string, field: string): (path: string) => boolean {
  const step = boundedSteps(MAX_STEPS, () => invalid(field, 'takes too long with the names that are here'));
  const alternatives = expand(pattern, field).map(each => each.split('/').map(part => readPart(part, step)));
  const matchesPart: Fits<PartPattern, readonly string[]> = (tokens, part) =>
    walk(tokens, part, matchesCharacter, step);
  return path => {
    const parts = path.split('/').map(part => Array.from(part));
    return alternatives.some(each => walk(each, parts, matchesPart, step));
  };
}

/** The same of any texts, whose slashes and braces mean themselves. @throws {ServiceError} as the other does */
export function textMatcher(pattern: string, field: string): (text: string) => boolean {
  const step = boundedSteps(MAX_TEXT_STEPS, () =>
    invalid(field, 'takes too long with the texts that are here'),
  );
  const read = readPart(pattern, step);
  const tokens: PartPattern = read === STAR ? [STAR] : read;
  return text => walk(tokens, Array.from(text), matchesCharacter, step);
}

/** Counts, and throws when that is enough. */
type Step = () => void;

function boundedSteps(most: number, tooMany: () => Error): Step {
  let steps = 0;
  return () => {
    if (++steps > most) throw tooMany();
  };
}

type PartPattern = readonly (Token | Star)[];
type Fits<T, U> = (token: T, unit: U) => boolean;

/** On a mismatch it goes back to the last star and no further: at most pattern × text steps. */
function walk<T, U>(
  pattern: readonly (T | Star)[],
  text: readonly U[],
  fits: Fits<T, U>,
  step: Step,
): boolean {
  let p = 0;
  let t = 0;
  let star = -1;
  let taken = 0;
  while (t < text.length) {
    step();
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

function matchesCharacter(token: Token, char: string): boolean {
  return typeof token === 'string' ? token === char : token(char);
}

function readPart(part: string, step: Step): PartPattern | Star {
  if (part === '**') return STAR;
  const tokens: (Token | Star)[] = [];
  for (const [piece] of part.matchAll(/\*+|\[!?\]?[^\]]*\]|\\.|./gsu)) tokens.push(readToken(piece, step));
  return tokens;
}

function readToken(piece: string, step: Step): Token | Star {
  if (piece.startsWith('*')) return STAR;
  if (piece === '?') return () => true;
  if (piece.length === 1) return piece;
  return piece.startsWith('[') ? characterClass(piece.slice(1, -1), step) : piece.slice(1);
}

function characterClass(inside: string, step: Step): (char: string) => boolean {
  const negated = inside.startsWith('!');
  const ranges = [...inside.slice(negated ? 1 : 0).matchAll(/(.)-(.)|(.)/gsu)].map(
    ([, from, to, only]) => [only ?? from!, only ?? to!] as const,
  );
  const inRange = (char: string) =>
    ranges.some(([from, to]) => {
      step();
      return from <= char && char <= to;
    });
  return char => negated !== inRange(char);
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
    if (next.length === some.length) return [...new Set(some)];
    some = next;
  }
}
