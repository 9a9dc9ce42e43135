import type { LanguageInfo } from 'codebeaker/client';
import { byId, make } from './elements.ts';
import { titleOf } from './language-title.ts';

/** The languages of this service, to choose from. Those that can't run here may be chosen too, to read why. */
export class Languages {
  readonly #select = byId('language', HTMLSelectElement);
  readonly #why = byId('unavailable', HTMLParagraphElement);
  #all: readonly LanguageInfo[] = [];

  /** @param chosen is called with the name of the language */
  constructor(chosen: (name: string) => void) {
    this.#select.onchange = () => {
      this.#explain();
      chosen(this.name);
    };
  }

  get name(): string {
    return this.#select.value;
  }

  get isAvailable(): boolean {
    return this.#why.hidden && this.name !== '';
  }

  set all(languages: readonly LanguageInfo[]) {
    this.#all = languages;
    const chosen = this.name;
    const options = languages.map(language => {
      const state = isAvailable(language) ? '' : ' (unavailable)';
      return make('option', { value: language.name }, `${titleOf(language)}${state}`);
    });
    this.#select.replaceChildren(...options);
    const first =
      languages.find(({ name }) => name === chosen) ?? languages.find(isAvailable) ?? languages[0];
    this.name = first?.name ?? '';
  }

  set name(name: string) {
    this.#select.value = name;
    this.#explain();
  }

  #explain(): void {
    const language = this.#all.find(({ name }) => name === this.name);
    this.#why.hidden = !language || isAvailable(language);
    const reasons = new Set(language?.runtimes.map(({ runtimeType, reason }) => `${runtimeType}: ${reason}`));
    const why = [...reasons].join('. ') || 'The service was started without a runtime for it.';
    this.#why.textContent = `${language?.displayName} can’t run here. ${why}`;
  }
}

const isAvailable = ({ runtimes }: LanguageInfo) => runtimes.some(({ available }) => available);
