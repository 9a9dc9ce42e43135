import { isAbsolute, join } from 'node:path/posix';
import type { CommandContext, InstallOutcome } from '../../commands/command.ts';
import { ServiceError } from '../../errors.ts';
import type { InstallLineResult } from '../../kernels/protocol.ts';
import { FileRefused, WORKSPACE } from '../../sandbox.ts';
import { type InstallLine, installsInCell } from '../packages/installs-in-cell.ts';
import type { Session } from './session.ts';

const MAX_FILE_BYTES = 256 * 1024;

/**
 * Installs what lines of a cell's text name (`%pip install …`), before the cell begins: of its time none is lost, and no program decides
 * what is asked of a registry. Resolves to what each line will print; undefined where there are none. @throws {ServiceError} CANCELLED
 */
export async function installLines(
  code: string,
  { packages, lease }: Pick<Session, 'packages' | 'lease'>,
  context: Pick<CommandContext, 'installPackages' | 'files'>,
): Promise<Record<string, InstallLineResult> | undefined> {
  if (!packages.on || !lease.runtime.capabilities.layers) return undefined;
  const lines = installsInCell(code);
  if (lines.length === 0) return undefined;
  const results: Record<string, InstallLineResult> = {};
  for (const line of lines) results[line.command] = await install(line, context);
  return results;
}

async function install(
  { wanted, quiet }: InstallLine,
  context: Pick<CommandContext, 'installPackages' | 'files'>,
): Promise<InstallLineResult> {
  const failed = (sentence: string, words = '') => ({
    ok: false,
    text: `ERROR: ${sentence}\n${words && `${words}\n`}`,
  });
  if ('wrong' in wanted) return failed(wanted.wrong);
  try {
    const how = { field: 'packages', language: 'python', timeout: undefined };
    const outcomes: InstallOutcome[] = [];
    for (const path of wanted.files)
      outcomes.push(await context.installPackages({ ...how, list: [], file: await read(path, context) }));
    if (wanted.packages.length > 0)
      outcomes.push(await context.installPackages({ ...how, list: wanted.packages }));
    for (const outcome of outcomes)
      if ('failed' in outcome)
        return failed(`${outcome.failed.sentence} (${outcome.failed.reason})`, outcome.failed.words);
    return { ok: true, text: quiet ? '' : told(outcomes.at(-1)!) };
  } catch (error) {
    const refused = error instanceof ServiceError && error.code !== 'CANCELLED';
    if (refused || error instanceof FileRefused) return failed(error.message);
    throw error;
  }
}

function told(outcome: InstallOutcome): string {
  if ('failed' in outcome) return '';
  const names = outcome.installed.map(({ name, version }) => `${name}-${version}`).join(' ');
  const changed = outcome.restartNeeded.join(', ');
  const note = changed && `Restart the interpreter where it has imported another version of ${changed}.\n`;
  return `Installed for this session: ${names}\n${note}`;
}

async function read(
  path: string,
  { files }: Pick<CommandContext, 'files'>,
): Promise<{ path: string; text: string }> {
  const at = isAbsolute(path) ? path : join(WORKSPACE, path);
  const { data, size } = await files.read(at, { length: MAX_FILE_BYTES });
  if (size > MAX_FILE_BYTES) throw new FileRefused(`${at} is more than ${MAX_FILE_BYTES} bytes`);
  return { path: at, text: Buffer.from(data).toString('utf8') };
}
