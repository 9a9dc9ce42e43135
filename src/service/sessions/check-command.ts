import type { CellSpec, CommandContext, InstallSpec, ProgramSpec } from '../../commands/command.ts';
import type { CommandRequest } from '../../commands/index.ts';
import type { Files } from '../../sandbox.ts';
import { checkCell } from '../kernels/cell.ts';
import { wallMsOf } from '../supervision/time-limit.ts';
import { attempt, outcomeOf } from './attempt.ts';
import type { Session } from './session.ts';
import type { Bounds } from './session-command-context.ts';
import { installTime, wantedBy } from './session-packages.ts';

/** Thrown at the first thing that a command asks of its session. */
const ASKED = new Error('asked');
const ask = () => Promise.reject(ASKED);

const FILES: Files = {
  inChain: ask,
  write: ask,
  read: ask,
  makeDirectory: ask,
  copy: ask,
  move: ask,
  remove: ask,
  list: ask,
  stat: ask,
  clear: ask,
  begin: ask,
  commit: ask,
  rollBack: ask,
  link: ask,
  openRead: ask,
  openWrite: ask,
};

/**
 * Throws what is wrong with a command itself, without running it: it is run up to the first thing that it asks of its session, and
 * before that a command looks at nothing but its own fields.
 * @throws {ServiceError} naming the field
 */
export async function checkCommand(
  request: CommandRequest,
  session: Pick<Session, 'lease' | 'packages' | 'directory'>,
  bounds: Bounds,
  followed: boolean,
): Promise<void> {
  const context = new Unasked(session, bounds, followed);
  try {
    await attempt(request, context);
    await context.background.catch((error: unknown) => outcomeOf(error, request));
  } catch (error) {
    if (error !== ASKED) throw error;
  }
}

/** A session that does nothing, and refuses what it could not do. */
class Unasked implements CommandContext {
  readonly files = FILES;
  readonly followed: boolean;
  readonly commandId = '';
  readonly executionId = '';
  background: Promise<unknown> = Promise.resolve();
  readonly #session: Pick<Session, 'lease' | 'packages' | 'directory'>;
  readonly #bounds: Bounds;

  constructor(session: Pick<Session, 'lease' | 'packages' | 'directory'>, bounds: Bounds, followed: boolean) {
    this.followed = followed;
    this.#session = session;
    this.#bounds = bounds;
  }

  directory(path: string | undefined, field: string): string {
    return this.#session.directory(path, field);
  }

  async runProgram({ timeout }: ProgramSpec): Promise<never> {
    wallMsOf(timeout, this.#bounds);
    throw ASKED;
  }

  startInBackground(spec: ProgramSpec): Promise<never> {
    return this.runProgram(spec);
  }

  async installPackages(spec: InstallSpec): Promise<never> {
    wantedBy(this.#session, spec);
    wallMsOf(installTime(spec.timeout), this.#bounds);
    throw ASKED;
  }

  runTool = ask;
  restartContext = ask;

  goOn(end: Promise<unknown>): void {
    this.background = end;
  }

  async runCell(spec: CellSpec): Promise<never> {
    checkCell(this.#session, spec);
    wallMsOf(spec.timeout, this.#bounds);
    throw ASKED;
  }
}
