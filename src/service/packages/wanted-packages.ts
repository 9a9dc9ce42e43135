import { invalid, notSupported } from '../../errors.ts';
import { findLanguage } from '../../languages/index.ts';
import type { Language } from '../../languages/language.ts';
import type { Ecosystem } from '../../packages/ecosystem.ts';
import { ecosystemOf, languagesWithPackages } from '../../packages/ecosystems.ts';
import type { Requirement } from '../../packages/requirements.ts';

export interface WantedPackages {
  readonly ecosystem: Ecosystem;
  readonly list: readonly Requirement[];
  /** Sources are built, and scripts of packages run. */
  readonly build: boolean;
}

/**
 * What a request's list means; null for none. `on`: this server installs packages.
 * @throws {ServiceError} VALIDATION_ERROR naming the entry, NOT_SUPPORTED
 */
export function wantedPackages(
  list: readonly string[] | undefined,
  { field, language, on }: { field: string; language: string; on: boolean },
): WantedPackages | null {
  if (list === undefined || list.length === 0) return null;
  if (!on) throw switchedOff(field);
  const found = findLanguage(language)?.language;
  // Who names no language of ours is told so elsewhere.
  if (!found) return null;
  const ecosystem = ecosystemFor(found, field);
  return { ecosystem, list: requirementsOf(ecosystem, list, field), build: false };
}

/** Where the packages of a language come from. @throws {ServiceError} NOT_SUPPORTED */
export function ecosystemFor(language: Language, field: string): Ecosystem {
  const ecosystem = ecosystemOf(language);
  if (ecosystem) return ecosystem;
  const names = languagesWithPackages.join(', ');
  const instead = 'source files of a library in `files` are compiled with the program';
  throw notSupported(
    field,
    `packages are installed for ${names}, and not for ${language.displayName}: ${instead}`,
  );
}

/** @throws {ServiceError} VALIDATION_ERROR naming the entry */
export function requirementsOf(ecosystem: Ecosystem, list: readonly string[], field: string): Requirement[] {
  const requirements = ecosystem.parse(list, field);
  if (requirements.some(({ text }) => text === '')) throw invalid(field, 'holds an empty text');
  return requirements;
}

export function switchedOff(field: string) {
  return notSupported(field, 'the operator of this server has switched packages off');
}
