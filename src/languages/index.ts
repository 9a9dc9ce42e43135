import type { RuntimeType } from '../schemas/session.ts';
import { csharp } from './csharp.ts';
import { go } from './go.ts';
import { javascript } from './javascript.ts';
import type { Language } from './language.ts';
import { python } from './python.ts';
import { typescript } from './typescript.ts';

/** Every language; a new one is a file of this folder and a word in this list. */
export const languages: readonly Language[] = [python, javascript, typescript, go, csharp];

export interface FoundLanguage {
  readonly language: Language;
  /** Set when the alias means a runtime too. */
  readonly runtimeType?: RuntimeType;
}

/** By name or alias, in whatever case. */
export function findLanguage(name: string): FoundLanguage | undefined {
  return byName.get(name.toLowerCase());
}

const byName = new Map<string, FoundLanguage>();
for (const language of languages) {
  for (const name of [language.name, ...language.aliases]) byName.set(name, { language });
  for (const [name, runtimeType] of Object.entries(language.runtimeAliases ?? {})) {
    byName.set(name, { language, runtimeType });
  }
}
