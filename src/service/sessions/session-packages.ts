import type { InstallSpec, TimeLimit } from '../../commands/command.ts';
import { invalid, notSupported } from '../../errors.ts';
import { languages } from '../../languages/index.ts';
import type { Ecosystem } from '../../packages/ecosystem.ts';
import { allEcosystems, ecosystemOf } from '../../packages/ecosystems.ts';
import {
  ecosystemFor,
  requirementsOf,
  switchedOff,
  type WantedPackages,
} from '../packages/wanted-packages.ts';
import { languageOf } from '../placement/lease.ts';
import type { Session } from './session.ts';

/** For an install where the client names no time; it ends itself a little later. */
const INSTALL_SECONDS = 115;

export const installTime = (asked: number | undefined): TimeLimit => ({ asked, byDefault: INSTALL_SECONDS });

type Installing = Pick<Session, 'lease' | 'packages'>;

/** What a list means in a session. @throws {ServiceError} VALIDATION_ERROR naming the entry, NOT_SUPPORTED */
export function wantedBy(session: Installing, spec: InstallSpec): WantedPackages {
  const { field, list, file, build = false } = spec;
  if (!session.packages.on) throw switchedOff(field);
  const ecosystem = chosen(session, spec);
  const { manager } = ecosystem;
  if (build && !ecosystem.builds)
    throw notSupported('build', `nothing is run to install packages by ${manager}: leave it out`);
  const texts = file ? ecosystem.listIn(file.path, file.text) : list;
  if (texts === null) throw invalid(field, `is no file that ${manager} reads here`);
  if (texts.length === 0) throw invalid(field, 'names no package');
  return { ecosystem, list: requirementsOf(ecosystem, texts, field), build };
}

/** That of the session's language, of the cell's, or of the installer that the client names. */
function chosen({ lease }: Installing, { language, manager, field }: InstallSpec): Ecosystem {
  const own = ecosystemOf(lease.language);
  if (manager !== undefined) {
    const named = [own, ...allEcosystems].find(each => each && managersOf(each).includes(manager));
    if (named && (named === own || (named.portable && runs(lease, named)))) return named;
    const shown = JSON.stringify(manager.slice(0, 60));
    throw notSupported('manager', `${shown} installs nothing in a session of ${lease.language.displayName}`);
  }
  const asked = language === undefined ? lease.language : languageOf(language).language;
  const ecosystem = ecosystemFor(asked, field);
  if (ecosystem === own || ecosystem.portable) return ecosystem;
  const { displayName } = asked;
  throw notSupported(field, `packages of ${displayName} are installed in sessions of ${displayName}`);
}

const managersOf = ({ manager, otherManagers }: Ecosystem) => [manager, ...otherManagers];

/** Whether a session's sandbox has anything that uses them. */
function runs({ runtime }: Session['lease'], ecosystem: Ecosystem): boolean {
  return languages.some(
    language =>
      ecosystemOf(language) === ecosystem &&
      (runtime.toolchainFor(language) ?? runtime.guestToolchainFor(language)) !== undefined,
  );
}
