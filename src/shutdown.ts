import { setTimeout as sleep } from 'node:timers/promises';
import closeWithGrace from 'close-with-grace';

/** Signals by which an operator ends a server. */
const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'] as const;
/** Time for what was running to be ended and cleaned up, milliseconds. */
const CLOSE_MS = 15_000;
/** npm passes on the signal of a terminal, which the server has got by itself: two within this time are one, milliseconds. */
const ECHO_MS = 100;

/** The parts of a server's end. */
export interface Shutdown {
  /** How long what runs may go on, seconds. */
  readonly drainSeconds: number;
  /** Says why the server ends, before anything else. */
  announce(why: { signal?: string; err?: Error; second?: boolean }): void;
  /** Takes nothing new; resolves when nothing runs. */
  drain(): Promise<void>;
  /** Ends what still runs and releases everything. */
  close(): Promise<void>;
}

/**
 * Ends the process in order: on a signal what runs may go on for a while, on an error it is ended at once. A second signal
 * ends the process itself.
 */
export function onShutdown({ drainSeconds, announce, drain, close }: Shutdown): void {
  let signalledAt = 0;
  /** It ends by itself, which a first signal neither hurries nor makes a success. */
  let failed = false;
  const { close: end } = closeWithGrace(
    {
      delay: drainSeconds * 1000 + CLOSE_MS,
      logger: false,
      skip: ['unhandledRejection', ...SIGNALS],
    },
    async ({ err }) => {
      if (signalledAt === 0) {
        failed = true;
        announce(err ? { err } : {});
      } else await Promise.race([drain(), sleep(drainSeconds * 1000, undefined, { ref: false })]);
      await close();
    },
  );
  const onSignal = (signal: string) => {
    const now = performance.now();
    if (signalledAt === 0) {
      signalledAt = now;
      if (failed) return;
      announce({ signal });
      void end();
    } else if (now - signalledAt > ECHO_MS) {
      announce({ signal, second: true });
      process.exit(1);
    }
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
}
