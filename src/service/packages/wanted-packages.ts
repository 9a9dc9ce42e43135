import { invalid, notSupported } from '../../errors.ts';
import { findLanguage } from '../../languages/index.ts';
import type { Ecosystem } from '../../packages/ecosystem.ts';
import { ecosystemOf, languagesWithPackages } from '../../packages/ecosystems.ts';
import type { Requirement } from '../../packages/requirements.ts';

export interface WantedPackages {
  readonly ecosystem: Ecosystem;
  readonly list: readonly Requirement[];
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
  if (!on) throw notSupported(field, 'the operator of this server has switched packages off');
  const found = findLanguage(language)?.language;
  // Who names no language of ours is told so elsewhere.
  if (!found) return null;
  const ecosystem = ecosystemOf(found);
  if (!ecosystem) {
    const names = languagesWithPackages.join(', ');
    throw notSupported(field, `packages are installed for ${names}, and not for ${found.displayName}`);
  }
  const requirements = ecosystem.parse(list, field);
  if (requirements.some(({ text }) => text === '')) throw invalid(field, 'holds an empty text');
  return { ecosystem, list: requirements };
}
