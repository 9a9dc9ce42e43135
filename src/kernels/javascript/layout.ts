import { align, type Word, wordsOf } from './line-map.ts';

/** A transformed cell with every word on the line that the user wrote it on. */
export interface Layout {
  /** All of it. */
  readonly whole: string;
  /** All but the function declarations. */
  readonly rest: string;
  /** The function declarations alone. */
  readonly functions: string;
}

/** After these a line break would end the statement, so they go to the next line too. */
const NO_BREAK_AFTER = /\b(?:return|throw|break|continue|yield|async)\s*$/;
/** Goes to the next line with what follows it, as people write it. */
const DOT = /\??\.$/;
/** A break may not go inside a template; before it is fine. */
const TEMPLATE_START = /`(?:\$\{)?$/;

/**
 * Puts line breaks into `body`, what the transpiler made of `source`, so that its lines are the source's. With
 * `anywhere` between any two words, else only where `body` has a break itself. A guess that the caller verifies: a
 * break can land in the text of a template. Null when the two have too little in common.
 */
export function layOut(source: string, body: string, anywhere: boolean): Layout | null {
  const sourceWords = wordsOf(source);
  const words = wordsOf(body);
  const found = align(sourceWords, words);
  if (!found) return null;
  const marks = words.flatMap((word, i) => {
    const at = found[i]!;
    return at < 0 ? [] : [{ word, line: sourceWords[at]!.line, column: sourceWords[at]!.column }];
  });
  const lines = body.split('\n');
  return write(lines, marks, functionLines(lines), lineCount(source), anywhere);
}

interface Mark {
  readonly word: Word;
  /** In the source. */
  readonly line: number;
  readonly column: number;
}

function write(
  lines: readonly string[],
  marks: readonly Mark[],
  inFunction: readonly boolean[],
  last: number,
  anywhere: boolean,
): Layout {
  const out = { whole: '', rest: '', functions: '' };
  let line = 1;
  let next = 0;
  const say = (text: string, i: number): void => {
    out.whole += text;
    out[inFunction[i] ? 'functions' : 'rest'] += text;
  };
  const breakTo = (wanted: number): void => {
    const breaks = '\n'.repeat(wanted - line);
    out.whole += breaks;
    out.rest += breaks;
    out.functions += breaks;
    line = wanted;
  };
  lines.forEach((text, i) => {
    const here = (): Mark | undefined => (marks[next]?.word.line === i + 1 ? marks[next] : undefined);
    const first = here();
    const wanted = marks[next]?.line ?? last;
    // Text of ours before the word (`return { value: `) stays on the line before.
    const ours = anywhere && first !== undefined && text.slice(0, first.word.column).trim() !== '';
    const fresh = i === 0 || (wanted > line && !ours);
    if (i > 0 && fresh) breakTo(first && !anywhere ? wanted : line + 1);
    else if (i > 0) say(' ', i);
    let from = fresh && first?.line === line ? indent(text, first, i, say) : 0;
    for (let mark = here(); mark; next++, mark = here()) {
      if (mark.line <= line || !anywhere) continue;
      const before = text.slice(from, mark.word.column);
      const kept = before.replace(NO_BREAK_AFTER, '').replace(TEMPLATE_START, '').replace(DOT, '');
      say(kept, i);
      breakTo(mark.line);
      from += kept.length;
      say(' '.repeat(Math.max(0, mark.column - (mark.word.column - from))), i);
    }
    say(text.slice(from), i);
  });
  return out;
}

/** Moves a line's first word to its own column; returns how much of the line that has said. */
function indent(text: string, first: Mark, i: number, say: (text: string, i: number) => void): number {
  const spaces = text.length - text.trimStart().length;
  say(' '.repeat(Math.max(0, first.column - (first.word.column - spaces))), i);
  return spaces;
}

/**
 * The lines that are top-level function declarations: the transpiler prints `this.f = f;` and then the function, all
 * indented by two. They are run by themselves, so that they are true globals: a function that calls `f` calls the `f`
 * of whatever cell declared it last.
 */
function functionLines(lines: readonly string[]): boolean[] {
  const inside = lines.map(() => false);
  for (let i = 0; i + 1 < lines.length; i++) {
    const name = /^ {2}this\.([\p{ID_Start}$_][\p{ID_Continue}$]*) = \1;$/u.exec(lines[i]!)?.[1];
    const head = lines[i + 1]!;
    if (!name || !/^ {2}(?:async )?function\b/.test(head) || !head.includes(`${name}(`)) continue;
    let end = i + 1;
    if (!head.endsWith('{}')) while (end < lines.length && lines[end] !== '  }') end++;
    if (end === lines.length) continue;
    inside.fill(true, i + 1, end + 1);
    i = end;
  }
  return inside;
}

function lineCount(text: string): number {
  return text.split('\n').length;
}
