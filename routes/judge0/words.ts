const SPACE = /\s/;
const MARKS = new Set(["'", '"', '\\']);

/**
 * Words of a line, by the quotes and backslashes of a shell; nothing else of a shell is meant by it. Null where a quote
 * does not end.
 */
export function wordsOf(line: string): string[] | null {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let i = 0; i < line.length; i++) {
    const char = line[i]!;
    if (quote === "'" || (quote === '"' && char !== '\\')) {
      if (char === quote) quote = '';
      else word += char;
    } else if (char === '\\') {
      const next = line[++i];
      if (next === undefined) return null;
      // Between double quotes a backslash is one before other characters.
      word = (word ?? '') + (quote && !MARKS.has(next) ? char + next : next);
    } else if (char === "'" || char === '"') {
      quote = char;
      word ??= '';
    } else if (SPACE.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? '') + char;
  }
  if (quote) return null;
  return word === undefined ? words : [...words, word];
}
