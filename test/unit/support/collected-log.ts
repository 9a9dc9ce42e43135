import type { CallLog } from '../../../src/service/call.ts';

type Level = keyof CallLog;

/** One line, with its details beside its message. */
export interface Line extends Record<string, unknown> {
  readonly level: Level;
  readonly message: string;
}

/** A logger that keeps its lines. */
export class CollectedLog implements CallLog {
  readonly lines: Line[] = [];

  debug(details: object, message: string): void {
    this.#add('debug', details, message);
  }

  info(details: object, message: string): void {
    this.#add('info', details, message);
  }

  warn(details: object, message: string): void {
    this.#add('warn', details, message);
  }

  error(details: object, message: string): void {
    this.#add('error', details, message);
  }

  /** Lines of one connection carry what they are bound to; it makes no difference here. */
  child(): CollectedLog {
    return this;
  }

  named(message: string): Line[] {
    return this.lines.filter(line => line.message === message);
  }

  #add(level: Level, details: object, message: string): void {
    this.lines.push({ ...details, level, message });
  }
}
