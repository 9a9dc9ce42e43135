import type { Reason } from './registry/facts.ts';

export type FailureReason = Reason | 'conflict' | 'timeout';

/** Of what ends for that, as far as it can be told. */
export const TOO_MUCH_MEMORY = 'Installing the packages took more memory than it may';

/** Packages could not be installed: nothing was, and the message is a sentence for who asked. */
export class InstallFailed extends Error {
  override readonly name = 'InstallFailed';
  readonly reason: FailureReason;
  /** The installer's last words; empty where it had none. */
  readonly words: string;

  constructor(reason: FailureReason, sentence: string, words = '') {
    super(sentence);
    this.reason = reason;
    this.words = words;
  }
}
