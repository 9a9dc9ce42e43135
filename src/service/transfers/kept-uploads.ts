import type { Session } from '../sessions/session.ts';
import type { FileUpload } from './upload.ts';

/** How long a cut upload can be gone on with, milliseconds. */
export const KEPT_MS = 600_000;
/** Most of a session: each holds a stream of its agent, and what has come of it is part of its disk. */
const MOST_OF_SESSION = 32;

interface Kept {
  readonly upload: FileUpload;
  readonly timer: NodeJS.Timeout;
}

/** Uploads whose connection was cut. Each is its session's, and ends with it. */
export class KeptUploads {
  readonly #of = new Map<Session, Map<number, Kept>>();

  /** Keeps one; a session's oldest makes room. */
  add(session: Session, upload: FileUpload): void {
    const kept = this.#of.get(session) ?? this.#begin(session);
    const timer = setTimeout(() => this.#drop(session, upload.transfer), KEPT_MS).unref();
    kept.set(upload.transfer, { upload, timer });
    const [oldest] = kept.keys();
    if (kept.size > MOST_OF_SESSION) this.#drop(session, oldest!);
  }

  /** The one that `fits`, the newest first; it stays kept. */
  find(session: Session, fits: (upload: FileUpload) => boolean): FileUpload | undefined {
    const all = [...(this.#of.get(session)?.values() ?? [])];
    return all.findLast(({ upload }) => fits(upload))?.upload;
  }

  /** Whose turn it is to end it. */
  take(session: Session, { transfer }: FileUpload): void {
    const kept = this.#of.get(session);
    clearTimeout(kept?.get(transfer)?.timer);
    kept?.delete(transfer);
    if (kept?.size === 0) this.#of.delete(session);
  }

  #begin(session: Session): Map<number, Kept> {
    const kept = new Map<number, Kept>();
    this.#of.set(session, kept);
    void session.ended.then(() => {
      for (const transfer of kept.keys()) this.#drop(session, transfer);
    });
    return kept;
  }

  #drop(session: Session, transfer: number): void {
    const upload = this.#of.get(session)?.get(transfer)?.upload;
    if (!upload) return;
    this.take(session, upload);
    upload.abort();
  }
}
