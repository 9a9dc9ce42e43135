/** Has this run end with 2, which no second trial of its tests excuses (.ci/run): more than tests failed. */
export function failsForGood(): void {
  // Vitest sets a code of its own until then.
  process.once('exit', () => {
    process.exitCode = 2;
  });
}
