import type { Order } from '../order.ts';

/** What the launcher says to the zygote, a JSON line each on its standard input. */
export type ZygoteRequest =
  | ({ readonly op: 'start'; readonly id: string } & Order)
  /** Also before it is in its control groups. */
  | { readonly op: 'kill'; readonly id: string };

/** And what that says on its standard output. */
export type ZygoteReply =
  /** Once: it takes orders. */
  | { readonly event: 'ready' }
  /** A sandbox is over; `words` is what it said at last, at most a few hundred bytes. */
  | { readonly event: 'ended'; readonly id: string; readonly words: string };
