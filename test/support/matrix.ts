import { inject } from 'vitest';
import { http } from './rest-client.ts';

/** One language on one runtime, as found available on this machine. */
export interface Cell {
  readonly language: string;
  readonly runtimeType: string;
  /** Which column of programs.ts it runs. */
  readonly dialect: 'python' | 'javascript';
  /** `python on Python`; titles of suites. */
  readonly name: string;
}

/** Every language on every runtime that is available: what the conformance suite runs over. */
export async function matrix(): Promise<Cell[]> {
  const { body } = await http(`${inject('server').url}/api/language`);
  return (body as LanguageRow[]).flatMap(({ name, runtimes }) =>
    runtimes
      .filter(runtime => runtime.available)
      .map(({ runtimeType }) => ({
        language: name,
        runtimeType,
        dialect: name === 'python' ? ('python' as const) : ('javascript' as const),
        name: `${name} on ${runtimeType}`,
      })),
  );
}

/** One cell for each runtime: for what has nothing to do with the language. */
export async function runtimes(): Promise<Cell[]> {
  const cells = await matrix();
  return cells.filter((cell, i) => cells.findIndex(c => c.runtimeType === cell.runtimeType) === i);
}

interface LanguageRow {
  readonly name: string;
  readonly runtimes: { runtimeType: string; available: boolean }[];
}
