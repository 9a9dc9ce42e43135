const TOKEN =
  /\/\/[^\n]*|\/\*[\s\S]*?\*\/|\s+|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[\p{ID_Start}$_#][\p{ID_Continue}$]*|[\s\S]/guy;

/** A word or a sign, and where it begins. */
export interface Token {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** Words, strings and single signs of a range that holds no pattern and no template; comments and spaces are left out. */
export function tokens(source: string, start: number, end: number): Token[] {
  const found: Token[] = [];
  TOKEN.lastIndex = start;
  while (TOKEN.lastIndex < end) {
    const at = TOKEN.lastIndex;
    const text = TOKEN.exec(source)?.[0];
    if (text === undefined) break;
    if (!/^(?:\/[/*]|\s)/.test(text)) found.push({ text, start: at, end: at + text.length });
  }
  return found;
}

/** The first token of a range that is one of these. */
export function findToken(source: string, start: number, end: number, text: string): Token | undefined {
  return tokens(source, start, end).find(token => token.text === text);
}
