import type { CommandRequest } from '../../commands/index.ts';
import { ServiceError } from '../../errors.ts';
import { FileRefused, FileSkipped, type Files } from '../../sandbox.ts';
import type { CommandRun } from '../supervision/command-run.ts';
import type { Session } from './session.ts';

/** Commands that change nothing, or what the agent changes for them. All others run programs that may change anything. */
const FILES_ONLY: ReadonlySet<CommandRequest['type']> = new Set([
  'write_file',
  'read_file',
  'create_directory',
  'copy_file',
  'move_file',
  'delete_file',
  'list_directory',
  'stat',
  'diff',
]);

/** Memory that is left to programs where everything is kept. */
const LEFT_BYTES = 16 * 1024 * 1024;

/** What happens to a session's /workspace during a batch, and can be undone. */
export class Transaction {
  readonly #session: Session;
  readonly #files: Files;
  readonly #whole: boolean;
  readonly #used: ReturnType<Session['usedContexts']>;
  readonly #background: CommandRun[] = [];
  #begun: Promise<void> | undefined;
  /** Whether it was committed in a chain. */
  #committed: Promise<boolean> = Promise.resolve(false);

  constructor(session: Session, commands: readonly CommandRequest[]) {
    this.#session = session;
    this.#files = session.lease.sandbox.files;
    this.#whole = !commands.every(({ type }) => FILES_ONLY.has(type));
    this.#used = session.usedContexts();
  }

  /** Everything is kept: it takes a moment, and can't begin in a chain. */
  get isWhole(): boolean {
    return this.#whole;
  }

  /**
   * Asks for it at once, in a chain before the commands of that. Idempotent.
   * @throws {ServiceError} CONFLICT when what is in /workspace can't be kept beside
   */
  begin(): Promise<void> {
    this.#begun ??= this.#begin();
    this.#begun.catch(() => {});
    return this.#begun;
  }

  /** Resolves when it has begun, or if it was never asked for; rejects where it could not. */
  async begun(): Promise<void> {
    await this.#begun;
  }

  async #begin(): Promise<void> {
    try {
      await this.#files.begin({ whole: this.#whole, most: this.#whole ? await this.#room() : 0 });
    } catch (error) {
      if (!(error instanceof FileRefused)) throw error;
      throw new ServiceError('CONFLICT', `transactional: ${error.message}`, { field: 'transactional' });
    }
  }

  /** Bytes of memory that may be used up by what is kept. */
  async #room(): Promise<number> {
    const { sandbox, limits } = this.#session.lease;
    await sandbox.begin();
    const { peakMemoryBytes } = await sandbox.measure();
    return Math.max(0, limits.memoryBytes - (peakMemoryBytes ?? 0) - LEFT_BYTES);
  }

  /** Has a command end with the transaction, if that is rolled back. */
  add(run: CommandRun): void {
    if (run.background) this.#background.push(run);
  }

  /** To be called in the chain of the last commands: commits with them, if none of them fails. */
  commitInChain(): void {
    this.#committed = this.#files.commit().then(
      () => true,
      (error: unknown) => {
        if (error instanceof FileSkipped) return false;
        throw error;
      },
    );
    this.#committed.catch(() => {});
  }

  /** Resolves to true when it has been committed already. */
  get committed(): Promise<boolean> {
    return this.#committed;
  }

  async commit(): Promise<void> {
    if (!(await this.#committed)) await this.#files.commit();
  }

  /** Resolves to the names of the contexts whose state went. @throws {FileRefused | SandboxLost} */
  async rollBack(): Promise<string[]> {
    for (const run of this.#background) run.cancel();
    await Promise.all(this.#background.map(run => run.ended));
    const restarted = this.#session.restartUsed(this.#used);
    if (!this.#begun) return restarted;
    await this.#files.rollBack();
    return restarted;
  }
}
