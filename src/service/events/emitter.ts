import { once } from 'node:events';
import type { MimeBundle } from '../../kernels/protocol.ts';
import type { StreamName } from '../../sandbox.ts';
import type { ExecutionEvent } from '../../schemas/events.ts';
import type { ExecutionStatus } from '../../schemas/outcome.ts';
import type { ToldDenial } from '../network/told-denial.ts';
import { Coalescer } from './coalescer.ts';
import type { EventLog } from './event-log.ts';
import { type Piece, Utf8Splitter } from './utf8.ts';

/** The run that an event belongs to. */
export interface Origin {
  readonly executionId: string;
  readonly sessionId: string | null;
  readonly commandId: string | null;
}

/** What a command came to, beside its status. */
type CameTo = Omit<
  Extract<ExecutionEvent, { method: 'execution.completed' }>['params'],
  keyof Origin | 'seq' | 'status' | 'exitCode'
>;

/** How far something is. */
type Progress = Omit<
  Extract<ExecutionEvent, { method: 'execution.progress' }>['params'],
  keyof Origin | 'seq'
>;

/** Writes one run's events to a log, in order: started, output and results, completed. */
export class Emitter {
  readonly #log: EventLog;
  readonly #origin: Origin;
  readonly #splitters = { stdout: new Utf8Splitter(), stderr: new Utf8Splitter() };
  readonly #coalescer = new Coalescer((stream, data) =>
    this.#piece(stream, this.#splitters[stream].push(data)),
  );
  #started = false;

  constructor(log: EventLog, origin: Origin) {
    this.#log = log;
    this.#origin = origin;
  }

  /** Resolves when readers have caught up with earlier events, or the signal aborts. Undefined when they have. */
  caughtUp(signal: AbortSignal): Promise<unknown> | undefined {
    const ready = this.#log.ready();
    return ready && !signal.aborted ? Promise.race([ready, once(signal, 'abort')]) : undefined;
  }

  /** Emits `execution.started`, once. */
  started(): void {
    if (this.#started) return;
    this.#started = true;
    this.#log.append('execution.started', this.#origin);
  }

  /** Emits output, joined with what follows within milliseconds; resolves when the slowest reader has caught up. */
  output(stream: StreamName, data: Uint8Array): Promise<void> | undefined {
    this.#coalescer.add(stream, data);
    return this.#log.ready();
  }

  result(mimeBundle: MimeBundle, bytes: number, isValue = false): void {
    this.#coalescer.flush();
    this.#log.append('execution.result', { ...this.#origin, mimeBundle, ...(isValue && { isValue }) }, bytes);
  }

  /** `bytes` is what a result takes in memory. */
  progress(at: Progress, bytes = 0): void {
    this.#log.append('execution.progress', { ...this.#origin, ...at }, bytes);
  }

  denied(denial: ToldDenial): void {
    this.#log.append('network.denied', { ...this.#origin, ...denial });
  }

  /** Emits output held back, bytes of a multibyte character that was never completed included. */
  flush(): void {
    this.started();
    this.#coalescer.flush();
    for (const stream of ['stdout', 'stderr'] as const) this.#piece(stream, this.#splitters[stream].end());
  }

  #piece(stream: StreamName, piece: Piece | null): void {
    if (piece) this.#log.append('execution.output', { ...this.#origin, stream, ...piece });
  }

  /** Emits `execution.completed`; returns its number. `bytes` is what `came` takes in memory. */
  completed(status: ExecutionStatus, exitCode: number | null, came: CameTo = {}, bytes = 0): number {
    this.flush();
    return this.#log.append('execution.completed', { ...this.#origin, status, exitCode, ...came }, bytes);
  }
}
