import type { InstallSpec, TimeLimit } from '../../commands/command.ts';
import { invalid } from '../../errors.ts';
import { type WantedPackages, wantedPackages } from '../packages/wanted-packages.ts';
import type { Session } from './session.ts';

/** For an install where the client names no time; it ends itself a little later. */
const INSTALL_SECONDS = 115;

export const installTime = (asked: number | undefined): TimeLimit => ({ asked, byDefault: INSTALL_SECONDS });

/** What a list means in a session. @throws {ServiceError} VALIDATION_ERROR naming the entry, NOT_SUPPORTED */
export function wantedBy(
  { lease, packages }: Pick<Session, 'lease' | 'packages'>,
  { list, field }: Pick<InstallSpec, 'list' | 'field'>,
): WantedPackages {
  const wanted = wantedPackages(list, { field, language: lease.language.name, on: packages.on });
  if (!wanted) throw invalid(field, 'names no package');
  return wanted;
}
