// biome-ignore-all lint/suspicious/noControlCharactersInRegex: control characters are what it is about
/** Longest beginning of a sequence that is held until its rest comes. */
const MOST_HELD = 256;
const UNFINISHED = /(?:\x1b(?:\[[0-?]*[ -/]*|\][^\x07\x1b]*\x1b?)?|\r)$/;
/** Sequences for terminals (ECMA-48): control sequences, commands such as titles and links, and short escapes. */
const SEQUENCE = /\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[ -/]*[0-Z\\^-~]/g;
const CONTROL = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/g;

/** What a program prints, piece by piece, without what only a terminal understands; other control characters become visible. */
export class PlainText {
  #held = '';

  take(piece: string): string {
    const all = this.#held + piece;
    const rest = UNFINISHED.exec(all.slice(-MOST_HELD))?.[0] ?? '';
    this.#held = rest;
    return plain(all.slice(0, all.length - rest.length));
  }

  /** What was held, when nothing more comes. */
  end(): string {
    const rest = this.#held;
    this.#held = '';
    return plain(rest === '\r' ? '' : rest);
  }
}

/** Each control character has a picture (Unicode, "Control Pictures"). */
const pictureOf = (character: string) =>
  String.fromCharCode(character === '\x7f' ? 0x2421 : 0x2400 + character.charCodeAt(0));

const plain = (text: string) =>
  text.replace(SEQUENCE, '').replaceAll('\r\n', '\n').replace(CONTROL, pictureOf);

/** Text with more behind it, where a carriage return begins its last line anew, as progress bars do. */
export function continued(text: string, more: string): string {
  const cut = text.lastIndexOf('\n') + 1;
  const whole = [text.slice(0, cut)];
  let line = text.slice(cut);
  for (const [index, part] of more.split('\r').entries()) {
    const end = part.lastIndexOf('\n') + 1;
    const before = index === 0 ? line : '';
    if (end > 0) whole.push(before + part.slice(0, end));
    line = end > 0 ? part.slice(end) : before + part;
  }
  return whole.join('') + line;
}
