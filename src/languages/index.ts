import type { Toolchain } from '../toolchains/toolchain.ts';
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
  /** Set when the alias means one toolchain. */
  readonly toolchain?: Toolchain;
  /** Set when the alias means a runtime, where it is available. */
  readonly runtimeType?: string;
}

/** By name or alias, in whatever case. */
export function findLanguage(name: string): FoundLanguage | undefined {
  return byName.get(name.toLowerCase());
}

/** Every other name of a language. */
export function aliasesOf({ aliases, runtimeAliases, toolchainAliases }: Language): string[] {
  return [...aliases, ...Object.keys(runtimeAliases ?? {}), ...Object.keys(toolchainAliases ?? {})];
}

/** All names of all languages, for people. */
export function languagesInWords(): string {
  return languages.map(each => `${each.name} (${aliasesOf(each).join(', ')})`).join(', ');
}

const byName = new Map<string, FoundLanguage>();
for (const language of languages) {
  for (const name of [language.name, ...language.aliases]) byName.set(name, { language });
  for (const [name, toolchain] of Object.entries(language.toolchainAliases ?? {})) {
    byName.set(name, { language, toolchain });
  }
  for (const [name, runtimeType] of Object.entries(language.runtimeAliases ?? {})) {
    byName.set(name, { language, runtimeType });
  }
}
