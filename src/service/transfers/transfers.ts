import { asNamed, directoryIn, entryIn, fileIn, workspacePath } from '../../commands/paths.ts';
import { ServiceError, shuttingDown } from '../../errors.ts';
import type { Metrics } from '../../metrics.ts';
import { type FileSource, type Files, USER_HOME, WORKSPACE } from '../../sandbox.ts';
import { LIMITS } from '../../schemas/limits.ts';
import { Places } from '../admission/places.ts';
import type { Call } from '../call.ts';
import { ProgramFiles } from '../entries/program-files.ts';
import { asServiceError } from '../file-refusals.ts';
import type {
  CodedBy,
  Download,
  Packed,
  Progress,
  RemoveOptions,
  Transfers,
  Unpacking,
  Upload,
  UploadOptions,
  Which,
} from '../service.ts';
import type { Session } from '../sessions/session.ts';
import type { SessionManager } from '../sessions/session-manager.ts';
import { type Coding, Codings } from './codings.ts';
import { openDownload } from './download.ts';
import { ResumableUploads } from './resumable-uploads.ts';
import { packTree, unpackTree } from './trees.ts';
import { FileUpload } from './upload.ts';

/** Where large files of one-shots come from. */
export interface Outputs {
  /** Opens one, as its number among what was asked for. @throws {ServiceError} NOT_FOUND */
  outputFile(executionId: string, number: number, call: Call): Promise<{ source: FileSource; name: string }>;
}

/** Files of sessions as streams of any size, beside their commands, and those that one-shots have left. */
export class FileTransfers implements Transfers {
  readonly #sessions: SessionManager;
  readonly #outputs: Pick<Outputs, 'outputFile'>;
  readonly #resumable = new ResumableUploads();
  readonly #places = new Places('files are on their way', LIMITS.transfers);
  readonly #coded = new Places('compressed files are on their way', LIMITS.codedTransfers);
  readonly #codings: Codings;
  /** Resolved when the transfer has ended. */
  readonly #open = new Set<Promise<void>>();
  #numbers = 0;
  #draining = false;

  constructor(sessions: SessionManager, outputs: Outputs, { codingSeconds }: Pick<Metrics, 'codingSeconds'>) {
    this.#sessions = sessions;
    this.#outputs = outputs;
    this.#codings = new Codings(LIMITS.codingsAtOnce, (coding, direction, seconds) =>
      codingSeconds.inc({ coding, direction }, seconds),
    );
  }

  async download(id: string, path: string, call: Call): Promise<Download> {
    const session = this.#session(id, call);
    const { files, target } = placeOf(session, path, () => asNamed(workspacePath(path, 'path'), path));
    return this.#entered(session, call, false, async leave => {
      const source = await outsideTransactions(session, call, () => asServiceError(files.openRead(target)));
      return openDownload(source, { transfer: this.#number(), path: target, leave, ...this.#encoding(call) });
    });
  }

  async outputFile(executionId: string, number: number, call: Call): Promise<Download> {
    if (this.#draining) throw shuttingDown();
    return this.#entered(null, call, false, async leave => {
      const { source, name } = await this.#outputs.outputFile(executionId, number, call);
      return openDownload(source, { transfer: this.#number(), path: name, leave, ...this.#encoding(call) });
    });
  }

  async upload(id: string, path: string, options: UploadOptions, call: Call): Promise<Upload> {
    const session = this.#session(id, call);
    const { files, target } = placeOf(session, path, () => fileIn(path, 'path'));
    if (options.expects && files !== session.lease.sandbox.files)
      throw new ServiceError('NOT_SUPPORTED', 'A file outside of /workspace is written whatever is there');
    const { size, hashed = false, sha256, resumable = false, coded, ...rest } = options;
    return this.#writing(session, call, coded !== undefined, async leave => {
      const sink = await asServiceError(
        files.openWrite(target, { ...rest, ...(size !== undefined && { size }) }),
      );
      const upload: FileUpload = new FileUpload(sink, {
        transfer: this.#number(),
        path: target,
        size: size ?? null,
        hashed,
        sha256: sha256 ?? null,
        coded: coded ?? null,
        openCoder: coding => this.#codings.open(call.client, coding, 'decode'),
        onCut: resumable ? () => this.#resumable.cut(session, upload) : null,
        onEnd: () => this.#resumable.end(session, upload),
      });
      if (resumable) this.#resumable.begin(session, upload);
      return upload.hold(leave);
    });
  }

  async resume(id: string, which: Which, call: Call): Promise<Upload> {
    const session = this.#session(id, call);
    const upload = this.#find(session, which);
    if (!upload) throw new ServiceError('NOT_FOUND', 'No such upload was cut within the last ten minutes');
    return this.#writing(session, call, upload.isCoded, leave => {
      this.#resumable.goOn(session, upload);
      return upload.hold(leave);
    });
  }

  async progress(id: string, path: string, call: Call): Promise<Progress | null> {
    const { received, size } = this.#find(this.#session(id, call), { path }) ?? {};
    return received === undefined ? null : { received, size: size ?? null };
  }

  async remove(id: string, path: string, options: RemoveOptions, call: Call): Promise<void> {
    const session = this.#session(id, call);
    session.touch();
    const target = asNamed(entryIn(path, 'path'), path);
    const { files } = session.lease.sandbox;
    await outsideTransactions(session, call, () => asServiceError(files.remove(target, options)));
  }

  async pack(id: string, path: string, call: Call): Promise<Packed> {
    const session = this.#session(id, call);
    const target = treeOf(session, path);
    return this.#writing(session, call, false, leave => packTree(session.lease.sandbox, target, leave));
  }

  async unpack(id: string, path: string, options: { coded?: CodedBy }, call: Call): Promise<Unpacking> {
    const session = this.#session(id, call);
    const target = treeOf(session, path);
    return this.#writing(session, call, options.coded !== undefined, leave =>
      unpackTree(
        session.lease.sandbox,
        target,
        { ...options, codings: this.#codings, client: call.client },
        leave,
      ),
    );
  }

  /** Takes nothing new; resolves when what was taken before has ended. */
  async drain(): Promise<void> {
    this.#draining = true;
    await Promise.all(this.#open);
  }

  /** @throws {ServiceError} it began with something else */
  #find(session: Session, which: Which): FileUpload | undefined {
    const path = fileIn(which.path, 'path');
    if (!('transfer' in which)) return this.#resumable.find(session, upload => upload.path === path);
    const found = this.#resumable.find(session, upload => upload.transfer === which.transfer);
    found?.mustBe(path, which.options);
    return found;
  }

  #encoding({ client }: Call) {
    return {
      enterCoding: () => this.#coded.enter(client),
      openCoder: (coding: Coding) => this.#codings.open(client, coding, 'encode'),
    };
  }

  #session(id: string, call: Call): Session {
    const session = this.#sessions.find(id, call);
    if (this.#draining) throw shuttingDown();
    return session;
  }

  /** Of 32 bits, as frames name it. */
  #number(): number {
    this.#numbers = this.#numbers === 0xffff_ffff ? 1 : this.#numbers + 1;
    return this.#numbers;
  }

  /**
   * The same, and no transaction of the session begins as long as it has its place: one would undo what has been written so far, or not
   * see what comes. A cut upload has none, and writes nothing.
   */
  #writing<T>(
    session: Session,
    call: Call,
    coded: boolean,
    begin: (leave: () => void) => Promise<T>,
  ): Promise<T> {
    return this.#entered(session, call, coded, async leavePlaces => {
      const leaveGate = await session.gate.enter(false, call.signal);
      const leave = () => {
        leaveGate();
        leavePlaces();
      };
      try {
        return await begin(leave);
      } catch (error) {
        leaveGate();
        throw error;
      }
    });
  }

  /** Begins something in a place of its own, and in one among what is coded; they are given back when that fails. */
  async #entered<T>(
    session: Session | null,
    call: Call,
    coded: boolean,
    begin: (leave: () => void) => Promise<T>,
  ): Promise<T> {
    const leaveCoding = coded ? this.#coded.enter(call.client) : () => {};
    let leave = leaveCoding;
    try {
      const leavePlace = this.#enter(session, call);
      leave = once(() => {
        leaveCoding();
        leavePlace();
      });
      return await begin(leave);
    } catch (error) {
      leave();
      throw error;
    }
  }

  /** A place, and the life of the session, if it is one's, as long as it is taken. */
  #enter(session: Session | null, call: Call): () => void {
    const leave = this.#places.enter(call.client);
    let hold: Disposable | undefined;
    try {
      hold = session?.hold();
    } catch (error) {
      leave();
      throw error;
    }
    const ended = Promise.withResolvers<void>();
    this.#open.add(ended.promise);
    return () => {
      leave();
      hold?.[Symbol.dispose]();
      this.#open.delete(ended.promise);
      ended.resolve();
    };
  }
}

function treeOf({ lease: { request } }: Session, path: string): string {
  if (request.home)
    throw new ServiceError('NOT_SUPPORTED', 'A session with a home has no archives of its files');
  return workspacePath(path, 'path');
}

/** Where a file lies, and what reads and writes there. In a session with a home paths mean what they mean to its programs. */
function placeOf(
  { lease: { sandbox, request } }: Session,
  path: string,
  inWorkspace: () => string,
): { files: Pick<Files, 'openRead' | 'openWrite'>; target: string } {
  if (!request.home) return { files: sandbox.files, target: inWorkspace() };
  const seen = directoryIn(USER_HOME, path, 'path');
  if (!seen.startsWith(`${USER_HOME}/`)) return { files: new ProgramFiles(sandbox), target: seen };
  return { files: sandbox.files, target: `${WORKSPACE}${seen.slice(USER_HOME.length)}` };
}

/** Does something at once that sees nothing of a transaction, and is not undone by one. */
async function outsideTransactions<T>(
  { gate }: Session,
  { signal }: Call,
  act: () => Promise<T>,
): Promise<T> {
  const leave = await gate.enter(false, signal);
  try {
    return await act();
  } finally {
    leave();
  }
}

function once(act: () => void): () => void {
  let acted = false;
  return () => {
    if (!acted) act();
    acted = true;
  };
}
