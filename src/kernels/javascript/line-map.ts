/**
 * Says on which line of a source each word of its transformed text was, so that errors show the user's own lines.
 * Bun's transpiler gives no source map in REPL mode; but it keeps words in order, so the shortest edit script between
 * the two texts (Myers, "An O(ND) Difference Algorithm", 1986) finds them again.
 */

/** Strings count as one word, without their quotes, which the printer changes. */
const WORDS =
  /\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|[\p{ID_Start}$_][\p{ID_Continue}$]*|\d[\w.]*/gu;
/** Words that differ beyond this are not looked for: a quarter of a second at most, and memory below 10 MB. */
const MAX_EDITS = 1000;

export interface Word {
  readonly text: string;
  readonly at: number;
  readonly line: number;
  /** From 0. */
  readonly column: number;
}

export function wordsOf(text: string): Word[] {
  const words: Word[] = [];
  let line = 1;
  let from = 0;
  for (const match of text.matchAll(WORDS)) {
    const word = match[0];
    const at = match.index;
    for (let end = text.indexOf('\n', from); end >= 0 && end < at; end = text.indexOf('\n', from)) {
      line++;
      from = end + 1;
    }
    if (word.startsWith('//') || word.startsWith('/*')) continue;
    const quoted = word[0] === '"' || word[0] === "'";
    words.push({ text: quoted ? word.slice(1, -1) : word, at, line, column: at - from });
  }
  return words;
}

/** For each word of `target` the index of the same word in `source`, or -1; null when they have too little in common. */
export function align(source: readonly Word[], target: readonly Word[]): Int32Array | null {
  const script = editScript(source, target);
  if (!script) return null;
  const found = new Int32Array(target.length).fill(-1);
  let x = source.length;
  let y = target.length;
  for (let d = script.length - 1; d >= 0; d--) {
    const reach = script[d]!;
    const k = x - y;
    const down = k === -d || (k !== d && reach[k - 1 + d + 1]! < reach[k + 1 + d + 1]!);
    const before = down ? k + 1 : k - 1;
    const beforeX = d === 0 ? 0 : reach[before + d + 1]!;
    const beforeY = beforeX - before;
    while (x > 0 && y > 0 && (d === 0 || (x > beforeX && y > beforeY))) found[--y] = --x;
    if (d === 0) break;
    x = beforeX;
    y = beforeY;
  }
  return slideDown(source, target, found);
}

/** One array per number of edits: how far the best path on each diagonal had come before that edit. */
function editScript(source: readonly Word[], target: readonly Word[]): Int32Array[] | null {
  const n = source.length;
  const m = target.length;
  const script: Int32Array[] = [];
  let reach = new Int32Array(3);
  for (let d = 0; d <= Math.min(n + m, MAX_EDITS); d++) {
    script.push(reach);
    const next = new Int32Array(2 * d + 5);
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && reach[k - 1 + d + 1]! < reach[k + 1 + d + 1]!);
      let x = d === 0 ? 0 : down ? reach[k + 1 + d + 1]! : reach[k - 1 + d + 1]! + 1;
      let y = x - k;
      while (x < n && y < m && source[x]!.text === target[y]!.text) {
        x++;
        y++;
      }
      next[k + d + 2] = x;
      if (x >= n && y >= m) return script;
    }
    reach = next;
  }
  return null;
}

/** Of several equal words the last one before the next match is meant: what the transform drops stands before. */
function slideDown(source: readonly Word[], target: readonly Word[], found: Int32Array): Int32Array {
  let limit = source.length;
  for (let j = target.length - 1; j >= 0; j--) {
    const at = found[j]!;
    if (at < 0) continue;
    for (let i = limit - 1; i > at; i--) {
      if (source[i]!.text !== target[j]!.text) continue;
      found[j] = i;
      break;
    }
    limit = found[j]!;
  }
  return found;
}
