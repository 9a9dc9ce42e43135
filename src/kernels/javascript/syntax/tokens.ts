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
  for (let token = nextToken(source, start, end); token; token = nextToken(source, token.end, end))
    found.push(token);
  return found;
}

/** The first token of a range that is one of these. */
export function findToken(source: string, start: number, end: number, text: string): Token | undefined {
  let token = nextToken(source, start, end);
  while (token && token.text !== text) token = nextToken(source, token.end, end);
  return token;
}

function nextToken(source: string, start: number, end: number): Token | undefined {
  for (let at = start; at < end; ) {
    TOKEN.lastIndex = at;
    const text = TOKEN.exec(source)?.[0];
    if (text === undefined) return;
    if (!/^(?:\/[/*]|\s)/.test(text)) return { text, start: at, end: at + text.length };
    at += text.length;
  }
  return;
}
