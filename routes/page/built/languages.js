import { byId, make } from './elements.js';
import { titleOf } from './language-title.js';
/** The languages of this service, to choose from. Those that can't run here may be chosen too, to read why. */
export class Languages {
    #select = byId('language', HTMLSelectElement);
    #why = byId('unavailable', HTMLParagraphElement);
    #all = [];
    /** @param chosen is called with the name of the language */
    constructor(chosen) {
        this.#select.onchange = () => {
            this.#explain();
            chosen(this.name);
        };
    }
    get name() {
        return this.#select.value;
    }
    get isAvailable() {
        return this.#why.hidden && this.name !== '';
    }
    set all(languages) {
        this.#all = languages;
        const chosen = this.name;
        const options = languages.map(language => {
            const state = isAvailable(language) ? '' : ' (unavailable)';
            return make('option', { value: language.name }, `${titleOf(language)}${state}`);
        });
        this.#select.replaceChildren(...options);
        const first = languages.find(({ name }) => name === chosen) ?? languages.find(isAvailable) ?? languages[0];
        this.name = first?.name ?? '';
    }
    set name(name) {
        this.#select.value = name;
        this.#explain();
    }
    #explain() {
        const language = this.#all.find(({ name }) => name === this.name);
        this.#why.hidden = !language || isAvailable(language);
        const reasons = new Set(language?.runtimes.map(({ runtimeType, reason }) => `${runtimeType}: ${reason}`));
        const why = [...reasons].join('. ') || 'The service was started without a runtime for it.';
        this.#why.textContent = `${language?.displayName} can’t run here. ${why}`;
    }
}
const isAvailable = ({ runtimes }) => runtimes.some(({ available }) => available);
