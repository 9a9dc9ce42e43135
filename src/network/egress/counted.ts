import { DENIAL_REASONS, type Denial, type Totals } from './protocol.ts';

/** Counts what all networks do. */
export class Counted {
  #bytesIn = 0;
  #bytesOut = 0;
  #connections = 0;
  #lookUps = 0;
  readonly #denied = new Map<Denial['reason'], number>(DENIAL_REASONS.map(reason => [reason, 0]));

  get totals(): Totals {
    return {
      bytesIn: this.#bytesIn,
      bytesOut: this.#bytesOut,
      connections: this.#connections,
      lookUps: this.#lookUps,
      denied: Object.fromEntries(this.#denied) as Totals['denied'],
    };
  }

  pass(direction: 'bytesIn' | 'bytesOut', bytes: number): void {
    if (direction === 'bytesIn') this.#bytesIn += bytes;
    else this.#bytesOut += bytes;
  }

  connected(): void {
    this.#connections++;
  }

  lookedUp(): void {
    this.#lookUps++;
  }

  deny({ reason }: Denial): void {
    this.#denied.set(reason, this.#denied.get(reason)! + 1);
  }
}
