import type { Framing, Parts } from './framing.ts';
import type { Outgoing } from './message.ts';

/** Version of the messaging protocol. */
const PROTOCOL = '5.3';

/** Writes the headers of what one kernel says. */
export class Envelopes {
  readonly #session: string;
  #count = 0;

  /** `session` names the kernel's run in headers. */
  constructor(session: string) {
    this.#session = session;
  }

  seal({ channel, type, parent, metadata = {}, content }: Outgoing): Envelope {
    const id = `${this.#session}_${++this.#count}`;
    const header = {
      msg_id: id,
      msg_type: type,
      username: 'codebeaker',
      session: this.#session,
      date: new Date().toISOString(),
      version: PROTOCOL,
    };
    return new Envelope({
      channel,
      id,
      type,
      header: JSON.stringify(header),
      parent: parent ?? '{}',
      metadata: JSON.stringify(metadata),
      content: JSON.stringify(content),
    });
  }
}

/** A message for one client or all, encoded once for each framing that they have. */
export class Envelope {
  readonly #parts: Parts;
  readonly #encoded = new Map<Framing, string | Buffer>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  in(framing: Framing): string | Buffer {
    const known = this.#encoded.get(framing) ?? framing.encode(this.#parts);
    this.#encoded.set(framing, known);
    return known;
  }
}

/** One socket of a kernel. */
export interface Client {
  /** Resolves when there is room for more, or nobody takes any. */
  send(envelope: Envelope): Promise<void>;
  /** Aborted when it has gone. */
  readonly gone: AbortSignal;
  close(code: number, reason: string): void;
}
