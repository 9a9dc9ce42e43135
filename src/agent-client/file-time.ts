/** ECMA-262, Time Values. */
const MAX_TIME_MS = 8.64e15;

/** Programs may set any time; a Date can hold no more than this. */
export function timeOf(modifiedAt: number): number {
  return Math.max(-MAX_TIME_MS, Math.min(modifiedAt, MAX_TIME_MS));
}
