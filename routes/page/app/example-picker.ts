import type { Editor } from './editor.ts';
import { byId, make } from './elements.ts';
import { EXAMPLES, type Example } from './examples.ts';

/** Offers the examples of a language, and puts the chosen one into the editor. */
export class ExamplePicker {
  readonly #select = byId('example', HTMLSelectElement);
  readonly #editor: Editor;
  #examples: readonly Example[] = [];
  #put = '';

  constructor(editor: Editor) {
    this.#editor = editor;
    this.#select.onchange = () => this.#use(this.#examples[Number(this.#select.value)]);
  }

  /** A program that a person has written stays. */
  set language(name: string) {
    this.#examples = EXAMPLES[name] ?? [];
    const options = this.#examples.map(({ title }, at) => make('option', { value: String(at) }, title));
    this.#select.replaceChildren(make('option', { value: '' }, 'Choose…'), ...options);
    this.#select.disabled = options.length === 0;
    if (this.#editor.code.trim() === '' || this.#editor.code === this.#put) this.#use(this.#examples[0]);
  }

  #use(example: Example | undefined): void {
    if (!example) return;
    this.#put = example.code;
    this.#editor.code = example.code;
    byId('stdin', HTMLTextAreaElement).value = example.stdin ?? '';
    if (example.stdin !== undefined) byId('input', HTMLDetailsElement).open = true;
    const keep = byId('keep', HTMLInputElement);
    if (!example.isKept || keep.checked) return;
    keep.checked = true;
    keep.dispatchEvent(new Event('change'));
  }
}
