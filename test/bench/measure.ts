/** Samples of one figure, and what is told of them. */
export interface Figure {
  readonly group: string;
  readonly name: string;
  readonly unit: 'ms' | '/s' | 'MB' | 'µs' | 'messages';
  readonly samples: number;
  readonly median: number;
  readonly p99: number;
  /** What it is compared with in the same run, and how many times as fast it is. */
  readonly ratio?: { readonly to: string; readonly times: number };
}

/** @throws when a sample says nothing */
export function figure(group: string, name: string, unit: Figure['unit'], samples: number[]): Figure {
  if (samples.length === 0 || samples.some(Number.isNaN)) throw new Error(`${name}: not measured`);
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
  return { group, name, unit, samples: sorted.length, median: round(at(0.5)), p99: round(at(0.99)) };
}

/** With how many times as fast as `other` it is: above 1 it is the faster one. */
export function against(own: Figure, other: Figure): Figure {
  const times = own.unit === '/s' ? own.median / other.median : other.median / own.median;
  return { ...own, ratio: { to: other.name, times: round(times) } };
}

/** How long a piece of work takes, milliseconds, or what it says itself that it took. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  const own = await work();
  return typeof own === 'number' ? own : performance.now() - startedAt;
}

/** A, B, A, B: what the machine does meanwhile hits both alike. */
export async function interleaved(
  rounds: number,
  works: readonly (() => Promise<unknown>)[],
  pauseMs = 0,
): Promise<number[][]> {
  const samples: number[][] = works.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, work] of works.entries()) {
      if (pauseMs) await pause(pauseMs);
      samples[i]!.push(await timed(work));
    }
  }
  return samples;
}

export function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms));
}

function round(value: number): number {
  return value >= 100 ? Math.round(value) : Math.round(value * 1000) / 1000;
}
