import type { Language } from '../languages/language.ts';
import type { Ecosystem } from './ecosystem.ts';
import { go } from './go.ts';
import { npm } from './npm.ts';
import { python } from './python.ts';

const BY_LANGUAGE: Readonly<Record<string, Ecosystem>> = { python, javascript: npm, typescript: npm, go };

export const allEcosystems: readonly Ecosystem[] = [python, npm, go];

/** Where a language's packages come from; undefined when none are installed for it. */
export function ecosystemOf(language: Pick<Language, 'name'>): Ecosystem | undefined {
  return BY_LANGUAGE[language.name];
}

/** Names of the languages that packages are installed for. */
export const languagesWithPackages = Object.keys(BY_LANGUAGE);
