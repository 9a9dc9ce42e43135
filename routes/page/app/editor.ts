import { byId } from './elements.ts';
import { highlighted, MOST_CHARACTERS } from './highlighted.ts';

const INDENT = '    ';
const LINE_START = /^/gm;

/**
 * Where the program is written: a plain textarea, which every screen reader knows, over a copy of its text in colours. Tab indents; after Escape it
 * moves on, so that nobody is caught.
 */
export class Editor {
  readonly #area = byId('code', HTMLTextAreaElement);
  readonly #frame = byId('editor', HTMLDivElement);
  readonly #colours = byId('colours', HTMLPreElement);
  readonly #lines = byId('lines', HTMLPreElement);
  #language = '';
  #tabMoves = false;

  constructor() {
    this.#area.oninput = () => this.#draw();
    this.#area.onscroll = () => this.#scroll();
    this.#area.onkeydown = event => this.#onKey(event);
    this.#area.onblur = () => {
      this.#tabMoves = false;
    };
  }

  get code(): string {
    return this.#area.value;
  }

  /** As when a person types it, so that it can be undone. */
  set code(text: string) {
    this.#area.focus();
    this.#area.select();
    this.#insert(text);
    this.#area.setSelectionRange(0, 0);
    this.#area.scrollTo(0, 0);
  }

  set language(name: string) {
    this.#language = name;
    this.#draw();
  }

  #draw(): void {
    const code = this.#area.value;
    const isPlain = code.length > MOST_CHARACTERS;
    this.#frame.classList.toggle('plain', isPlain);
    // A last line without text has no height in a <pre>.
    if (isPlain) this.#colours.textContent = '';
    else this.#colours.replaceChildren(highlighted(`${code}\n`, this.#language));
    const count = isPlain ? 0 : code.split('\n').length;
    this.#lines.textContent = Array.from({ length: count }, (_, at) => at + 1).join('\n');
    this.#scroll();
  }

  #scroll(): void {
    const { scrollLeft, scrollTop } = this.#area;
    this.#colours.scrollTo(scrollLeft, scrollTop);
    this.#lines.scrollTo(0, scrollTop);
  }

  #onKey(event: KeyboardEvent): void {
    const { key, ctrlKey, altKey, metaKey, shiftKey } = event;
    if (key === 'Escape') this.#tabMoves = true;
    else if (key === 'Tab' && !this.#tabMoves && !ctrlKey && !altKey && !metaKey) {
      event.preventDefault();
      if (shiftKey) this.#changeLines(text => text.replace(/^ {1,4}/gm, ''));
      else if (this.#selected.includes('\n')) this.#changeLines(text => text.replace(LINE_START, INDENT));
      else this.#insert(INDENT);
    } else if (key === 'Enter' && !ctrlKey && !metaKey && !altKey) {
      event.preventDefault();
      this.#insert(`\n${this.#indentHere()}`);
    } else if (key !== 'Shift' && key !== 'Tab') this.#tabMoves = false;
  }

  get #selected(): string {
    return this.#area.value.slice(this.#area.selectionStart, this.#area.selectionEnd);
  }

  /** That of the line, and one more behind what opens a block. */
  #indentHere(): string {
    const { value, selectionStart } = this.#area;
    const line = value.slice(value.lastIndexOf('\n', selectionStart - 1) + 1, selectionStart);
    const indent = /^[ \t]*/.exec(line)![0];
    return /[:{([]\s*$/.test(line) ? indent + INDENT : indent;
  }

  #changeLines(change: (text: string) => string): void {
    const { value, selectionStart, selectionEnd } = this.#area;
    const start = value.lastIndexOf('\n', selectionStart - 1) + 1;
    const changed = change(value.slice(start, selectionEnd));
    this.#area.setSelectionRange(start, selectionEnd);
    this.#insert(changed);
    this.#area.setSelectionRange(start, start + changed.length);
  }

  /** Old, and the only way that the browser's own undo knows. */
  #insert(text: string): void {
    if (text === '' ? document.execCommand('delete') : document.execCommand('insertText', false, text))
      return;
    const { selectionStart, selectionEnd } = this.#area;
    this.#area.setRangeText(text, selectionStart, selectionEnd, 'end');
    this.#draw();
  }
}
