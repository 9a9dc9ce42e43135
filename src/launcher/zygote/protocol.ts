import type { Order } from '../order.ts';
import type { ForkOrder } from '../protocol.ts';

/** What the launcher says to the zygote, a JSON line each on its standard input. */
export type ZygoteRequest =
  | ({ readonly op: 'start'; readonly id: string } & Order)
  /** Starts an interpreter that is to fork itself into sandboxes. */
  | ({ readonly op: 'interpreter'; readonly id: string } & InterpreterOrder)
  /** Has it fork itself into one, where no other does at that time; answered by `forked`. */
  | ({ readonly op: 'fork'; readonly id: string; readonly from: string } & Offspring)
  /** A sandbox, also before it is in its control groups, or an interpreter. */
  | { readonly op: 'kill'; readonly id: string };

export interface InterpreterOrder {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** The files whose writers enter its own control groups. */
  readonly procs: readonly string[];
  /** The directories that the control groups of all sandboxes lie in. */
  readonly groups: readonly string[];
  readonly openFiles: number;
}

export interface Offspring {
  readonly procs: readonly string[];
  readonly uid: number | null;
  readonly ends: ForkOrder['ends'];
}

/** And what that says on its standard output. */
export type ZygoteReply =
  /** Once: it takes orders. */
  | { readonly event: 'ready' }
  /** An interpreter waits. */
  | { readonly event: 'waits'; readonly id: string }
  /** The program's number inside the sandbox, or null. */
  | { readonly event: 'forked'; readonly id: string; readonly pid: number | null }
  /** A sandbox or an interpreter is over; `words` is what it said at last, at most a few hundred bytes. */
  | { readonly event: 'ended'; readonly id: string; readonly words: string };
