/** Connections of all networks together from which on one has no more than its share, and that share: each may hold some 300 KB here. */
const MOST = { together: 2048, share: 16 };

/** Places for the connections of all networks: a few that take all they may leave every other one its share. */
export class Places {
  #taken = 0;

  /** `has`: connections of this network. False: it has no place for another. */
  take(has: number): boolean {
    if (this.#taken >= MOST.together && has >= MOST.share) return false;
    this.#taken++;
    return true;
  }

  give(): void {
    this.#taken--;
  }
}
