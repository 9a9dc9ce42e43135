import { entryWords } from '../../agent/artifact.ts';
import { directoryIn } from '../../commands/paths.ts';
import { notSupported, ServiceError } from '../../errors.ts';
import { FileRefused, USER_HOME } from '../../sandbox.ts';
import { Places } from '../admission/places.ts';
import type { Call } from '../call.ts';
import { codeOf, serviceError } from '../file-refusals.ts';
import type { Entries, Entry } from '../service.ts';
import type { Session } from '../sessions/session.ts';
import type { SessionManager } from '../sessions/session-manager.ts';
import { EntryProgram } from './entry-program.ts';
import { EntryReader } from './entry-reader.ts';

/** Most operations at once, of a client and of all. */
const MOST = { perClient: 64, total: 256 };
/** Most bytes of a listing as it comes. */
const MOST_BYTES = 16 * 1024 * 1024;

/** Files of sessions with a home, by programs of theirs. */
export class HomeEntries implements Entries {
  readonly #sessions: SessionManager;
  readonly #places = new Places('operations on files are under way', MOST);

  constructor(sessions: SessionManager) {
    this.#sessions = sessions;
  }

  async describe(id: string, path: string, call: Call): Promise<Entry> {
    const [entry] = await this.#entries(id, call, entryWords.list(placed(path), 0));
    if (!entry) throw new ServiceError('COMMAND_FAILED', 'The file was not described');
    return entry;
  }

  list(id: string, path: string, depth: number, call: Call): Promise<Entry[]> {
    return this.#entries(id, call, entryWords.list(placed(path), depth));
  }

  async makeDirectory(id: string, path: string, call: Call): Promise<void> {
    await this.#run(id, call, entryWords.make(placed(path)));
  }

  async move(id: string, from: string, to: string, call: Call): Promise<void> {
    await this.#run(id, call, entryWords.move(placed(from), placed(to)));
  }

  async remove(id: string, path: string, call: Call): Promise<void> {
    await this.#run(id, call, entryWords.remove(placed(path)));
  }

  async setMetadata(
    id: string,
    path: string,
    metadata: Readonly<Record<string, string>>,
    call: Call,
  ): Promise<void> {
    const pairs = Object.entries(metadata).map(([name, value]) => `${name}\0${value}\0`);
    await this.#run(id, call, entryWords.mark(placed(path)), Buffer.from(pairs.join('')));
  }

  async #entries(id: string, call: Call, words: readonly string[]): Promise<Entry[]> {
    const entries: Entry[] = [];
    const reader = new EntryReader(await this.#run(id, call, words));
    while (!reader.done) entries.push(reader.entry());
    return entries;
  }

  async #run(id: string, call: Call, words: readonly string[], stdin?: Buffer): Promise<Buffer> {
    const session = this.#find(id, call);
    using room = new ReadRoom(session);
    const leave = this.#places.enter(call.client);
    try {
      using _ = session.hold();
      const program = await EntryProgram.start(
        session.lease.sandbox,
        words,
        stdin?.byteLength ? stdin : 'none',
      );
      return await program.answer(bytes => room.take(bytes));
    } catch (error) {
      if (error instanceof FileRefused)
        throw new ServiceError(codeOf(error), error.message, { reason: error.reason });
      throw serviceError(error);
    } finally {
      leave();
    }
  }

  #find(id: string, call: Call): Session {
    const session = this.#sessions.find(id, call);
    if (!session.lease.request.home) throw notSupported('path', 'the session has no home');
    return session;
  }
}

function placed(path: string): string {
  return directoryIn(USER_HOME, path, 'path');
}

/** Counts an answer among all that is being read of sandboxes. */
class ReadRoom implements Disposable {
  readonly #session: Session;
  #held = 0;

  constructor(session: Session) {
    this.#session = session;
  }

  take(bytes: number): void {
    const { memory, owner } = this.#session;
    if (this.#held + bytes > MOST_BYTES)
      throw new ServiceError('PAYLOAD_TOO_LARGE', 'The listing is too large: list less of it at once');
    if (!memory.reads.take(owner, bytes))
      throw new ServiceError('QUEUE_FULL', 'Too much is being read from sandboxes at once; try again later');
    this.#held += bytes;
  }

  [Symbol.dispose](): void {
    this.#session.memory.reads.add(this.#session.owner, -this.#held);
  }
}
