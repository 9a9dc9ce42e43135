import { byId, make } from './elements.js';
import { EXAMPLES } from './examples.js';
/** Offers the examples of a language, and puts the chosen one into the editor. */
export class ExamplePicker {
    #select = byId('example', HTMLSelectElement);
    #editor;
    #examples = [];
    #put = '';
    constructor(editor) {
        this.#editor = editor;
        this.#select.onchange = () => this.#use(this.#examples[Number(this.#select.value)]);
    }
    /** A program that a person has written stays. */
    set language(name) {
        this.#examples = EXAMPLES[name] ?? [];
        const options = this.#examples.map(({ title }, at) => make('option', { value: String(at) }, title));
        this.#select.replaceChildren(make('option', { value: '' }, 'Choose…'), ...options);
        this.#select.disabled = options.length === 0;
        if (this.#editor.code.trim() === '' || this.#editor.code === this.#put)
            this.#use(this.#examples[0]);
    }
    #use(example) {
        if (!example)
            return;
        this.#put = example.code;
        this.#editor.code = example.code;
        byId('stdin', HTMLTextAreaElement).value = example.stdin ?? '';
        if (example.stdin !== undefined)
            byId('input', HTMLDetailsElement).open = true;
        const keep = byId('keep', HTMLInputElement);
        if (!example.isKept || keep.checked)
            return;
        keep.checked = true;
        keep.dispatchEvent(new Event('change'));
    }
}
