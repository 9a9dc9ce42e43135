import { asNamed, entryIn, fileIn, workspacePath } from '../../commands/paths.ts';
import { ServiceError, shuttingDown } from '../../errors.ts';
import type { Call } from '../call.ts';
import type { Download, Progress, Transfers, Upload, UploadOptions, Which } from '../service.ts';
import type { Session } from '../sessions/session.ts';
import type { SessionManager } from '../sessions/session-manager.ts';
import { KeptUploads } from './kept-uploads.ts';
import { Places } from './places.ts';
import { asServiceError, serviceError } from './refusals.ts';
import { FileUpload } from './upload.ts';

/** Most transfers under way, of a client and of all. Each holds a window of the agent's stream and one of its socket. */
const MOST = { perClient: 64, total: 256 };

/** Files of sessions as streams of any size, beside their commands. */
export class FileTransfers implements Transfers {
  readonly #sessions: SessionManager;
  readonly #kept = new KeptUploads();
  readonly #places = new Places('files are on their way', MOST);
  /** Resolved when the transfer has ended. */
  readonly #open = new Set<Promise<void>>();
  #numbers = 0;
  #draining = false;

  constructor(sessions: SessionManager) {
    this.#sessions = sessions;
  }

  async download(id: string, path: string, call: Call): Promise<Download> {
    const session = this.#session(id, call);
    const target = asNamed(workspacePath(path, 'path'), path);
    const leave = this.#enter(session, call);
    try {
      const source = await asServiceError(session.lease.sandbox.files.openRead(target));
      return {
        path: target,
        status: source.status,
        read: (offset, length) => refusing(source.read(offset, length)),
        close() {
          source.close();
          leave();
        },
      };
    } catch (error) {
      leave();
      throw error;
    }
  }

  async upload(id: string, path: string, options: UploadOptions, call: Call): Promise<Upload> {
    const session = this.#session(id, call);
    const target = fileIn(path, 'path');
    const leave = this.#enter(session, call);
    try {
      const { size = null, hashed = false, resumable = false } = options;
      const sink = await asServiceError(session.lease.sandbox.files.openWrite(target, options));
      const keep = resumable ? (upload: FileUpload) => this.#kept.add(session, upload) : null;
      return new FileUpload(sink, { transfer: ++this.#numbers, path: target, size, hashed, keep, leave });
    } catch (error) {
      leave();
      throw error;
    }
  }

  async resume(id: string, which: Which, call: Call): Promise<Upload> {
    const session = this.#session(id, call);
    const upload = this.#cut(session, which);
    if (!upload) throw new ServiceError('NOT_FOUND', 'No such upload was cut within the last ten minutes');
    upload.goOn(this.#enter(session, call));
    this.#kept.take(session, upload);
    return upload;
  }

  async progress(id: string, path: string, call: Call): Promise<Progress | null> {
    const { received, size } = this.#cut(this.#session(id, call), { path }) ?? {};
    return received === undefined ? null : { received, size: size ?? null };
  }

  async remove(id: string, path: string, { recursive }: { recursive: boolean }, call: Call): Promise<void> {
    const session = this.#session(id, call);
    session.touch();
    const target = entryIn(path, 'path');
    await asServiceError(session.lease.sandbox.files.remove(asNamed(target, path), { recursive }));
  }

  /** Takes nothing new; resolves when what was taken before has ended. */
  async drain(): Promise<void> {
    this.#draining = true;
    await Promise.all(this.#open);
  }

  #cut(session: Session, which: Which): FileUpload | undefined {
    if ('transfer' in which) return this.#kept.find(session, upload => upload.transfer === which.transfer);
    const path = fileIn(which.path, 'path');
    return this.#kept.find(session, upload => upload.path === path);
  }

  #session(id: string, call: Call): Session {
    const session = this.#sessions.find(id, call);
    if (this.#draining) throw shuttingDown();
    return session;
  }

  /** A place, and the session's life as long as it is taken. */
  #enter(session: Session, call: Call): () => void {
    const leave = this.#places.enter(call.client);
    let hold: Disposable;
    try {
      hold = session.hold();
    } catch (error) {
      leave();
      throw error;
    }
    const ended = Promise.withResolvers<void>();
    this.#open.add(ended.promise);
    let left = false;
    return () => {
      if (left) return;
      left = true;
      leave();
      hold[Symbol.dispose]();
      this.#open.delete(ended.promise);
      ended.resolve();
    };
  }
}

/** The same bytes, with the service's errors. */
async function* refusing(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  try {
    yield* pieces;
  } catch (error) {
    throw serviceError(error);
  }
}
