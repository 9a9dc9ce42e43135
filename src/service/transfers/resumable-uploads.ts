import { LIMITS } from '../../schemas/limits.ts';
import type { Session } from '../sessions/session.ts';
import type { FileUpload } from './upload.ts';

/** How long a cut upload can be gone on with, milliseconds. */
const KEPT_MS = 600_000;

interface Entry {
  readonly upload: FileUpload;
  /** Of one that is cut. */
  timer: NodeJS.Timeout | null;
}

/** Uploads that outlive their connection. Each is its session's, and ends with it. */
export class ResumableUploads {
  readonly #of = new Map<Session, Map<number, Entry>>();
  /** Cut ones that are decoded as they come, the oldest first. */
  readonly #coded = new Map<FileUpload, Session>();

  begin(session: Session, upload: FileUpload): void {
    let entries = this.#of.get(session);
    if (!entries) {
      entries = new Map();
      this.#of.set(session, entries);
      void session.ended.then(() => this.#endAll(session));
    }
    entries.set(upload.transfer, { upload, timer: null });
  }

  /** It stays for a while; a session's oldest makes room. */
  cut(session: Session, upload: FileUpload): void {
    const entry = this.#entry(session, upload);
    if (!entry) return upload.abort();
    entry.timer = setTimeout(() => upload.abort(), KEPT_MS).unref();
    const cut = [...this.#of.get(session)!.values()].filter(({ timer }) => timer);
    if (cut.length > LIMITS.cutUploads) cut[0]!.upload.abort();
    if (upload.isCoded) this.#boundCoded(session, upload);
  }

  /** An owner's oldest makes room for its newest, and nobody's for another's. */
  #boundCoded(session: Session, upload: FileUpload): void {
    this.#coded.set(upload, session);
    const own = [...this.#coded].filter(([, { owner }]) => owner === session.owner);
    const most = session.owner === null ? LIMITS.codedUploads.total : LIMITS.codedUploads.perOwner;
    if (own.length > most) own[0]![0].abort();
    else if (this.#coded.size > LIMITS.codedUploads.total) upload.abort();
  }

  goOn(session: Session, upload: FileUpload): void {
    this.#coded.delete(upload);
    const entry = this.#entry(session, upload);
    if (entry?.timer) clearTimeout(entry.timer);
    if (entry) entry.timer = null;
  }

  end(session: Session, upload: FileUpload): void {
    this.goOn(session, upload);
    this.#of.get(session)?.delete(upload.transfer);
  }

  #endAll(session: Session): void {
    for (const { upload, timer } of this.#of.get(session)?.values() ?? []) if (timer) upload.abort();
    this.#of.delete(session);
  }

  /** The newest that `fits`. */
  find(session: Session, fits: (upload: FileUpload) => boolean): FileUpload | undefined {
    const entries = [...(this.#of.get(session)?.values() ?? [])];
    return entries.findLast(({ upload }) => fits(upload))?.upload;
  }

  #entry(session: Session, { transfer }: FileUpload): Entry | undefined {
    return this.#of.get(session)?.get(transfer);
  }
}
