/** Of one client that has joined. */
interface Share {
  readonly client: string;
  members: number;
  runs: boolean;
  /** What its turns have cost, or would have, had it always wanted one. */
  used: number;
  readonly line: (() => void)[];
}

/** A place in the line of a client; its turns come one after another. */
export interface Turns {
  /** Waits for a turn; the function it resolves to ends it, and is told what it has cost. */
  next(): Promise<(cost: number) => void>;
  /** No turn will be asked for. */
  leave(): void;
}

/** Gives out at most `most` turns at once, one at a time to each client, and the next to who has used least. */
export class FairTurns {
  readonly #most: number;
  readonly #shares = new Map<string, Share>();
  #running = 0;
  /** What the client had used that had the last turn: who wanted none meanwhile has saved nothing. */
  #floor = 0;

  constructor(most: number) {
    this.#most = most;
  }

  join(client: string): Turns {
    const share = this.#shares.get(client) ?? { client, members: 0, runs: false, used: 0, line: [] };
    this.#shares.set(client, share);
    share.members++;
    let left = false;
    return {
      next: () => this.#next(share),
      leave: () => {
        if (!left) share.members--;
        left = true;
        this.#forget(share);
      },
    };
  }

  #next(share: Share): Promise<(cost: number) => void> {
    if (!share.runs && share.line.length === 0) share.used = Math.max(share.used, this.#floor);
    return new Promise(resolve => {
      share.line.push(() => resolve(cost => this.#end(share, cost)));
      this.#give();
    });
  }

  #end(share: Share, cost: number): void {
    share.used += cost;
    share.runs = false;
    this.#running--;
    this.#forget(share);
    this.#give();
  }

  /** Once it has no member, and nobody waits any more: who left while it waited has its turn all the same. */
  #forget(share: Share): void {
    const { client, members, runs, line } = share;
    if (members > 0 || runs || line.length > 0) return;
    if (this.#shares.get(client) === share) this.#shares.delete(client);
  }

  #give(): void {
    while (this.#running < this.#most) {
      let next: Share | undefined;
      for (const share of this.#shares.values())
        if (!share.runs && share.line.length > 0 && share.used < (next?.used ?? Number.POSITIVE_INFINITY))
          next = share;
      if (!next) return;
      this.#running++;
      this.#floor = Math.max(this.#floor, next.used);
      next.runs = true;
      next.line.shift()!();
    }
  }
}
