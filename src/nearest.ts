/** A longer word is compared with nothing: the work grows with the product of two lengths. Characters. */
const MOST_LENGTH = 64;

/** Shortest word that is taken for the beginning of another, characters. */
const BEGINNING = 4;

/**
 * The word that is meant, where a misspelled one differs from it by few characters: one in three, left out, added, replaced or
 * exchanged with the next one. Else the only one that it begins. Null where none is near.
 */
export function nearest(word: string, known: readonly string[]): string | null {
  if (word.length > MOST_LENGTH) return null;
  const [best] = known
    .filter(each => each.length <= MOST_LENGTH)
    .map(each => ({ each, distance: distanceOf(word.toLowerCase(), each.toLowerCase()) }))
    .filter(({ each, distance }) => distance <= Math.ceil(each.length / 3) && distance < each.length)
    .sort((a, b) => a.distance - b.distance);
  if (best || word.length < BEGINNING) return best?.each ?? null;
  const begun = known.filter(each => each.toLowerCase().startsWith(word.toLowerCase()));
  return begun.length === 1 ? begun[0]! : null;
}

/** Restricted edit distance of Damerau and Levenshtein, by its last three rows. */
function distanceOf(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      row[j] = Math.min(last[j]! + 1, row[j - 1]! + 1, replaced);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        row[j] = Math.min(row[j]!, before[j - 2]! + 1);
    }
    [before, last] = [last, row];
  }
  return last[b.length]!;
}
