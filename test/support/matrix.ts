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

const DIALECTS: Readonly<Record<string, Cell['dialect']>> = {
  python: 'python',
  javascript: 'javascript',
  typescript: 'javascript',
};

/** Every language with an interpreter on every runtime that is available: what the conformance suite runs over. */
export async function matrix(): Promise<Cell[]> {
  const rows = await available();
  return rows.flatMap(row => {
    const dialect = DIALECTS[row.language];
    return dialect ? [{ ...row, dialect }] : [];
  });
}

/** Every language that is compiled, on every runtime that is available. */
export async function compiled(): Promise<Omit<Cell, 'dialect'>[]> {
  return (await available()).filter(({ language }) => !(language in DIALECTS));
}

export async function available(): Promise<Omit<Cell, 'dialect'>[]> {
  const { body } = await http(`${inject('server').url}/api/language`);
  return (body as LanguageRow[]).flatMap(({ name, runtimes }) =>
    runtimes
      .filter(runtime => runtime.available)
      .map(({ runtimeType }) => ({ language: name, runtimeType, name: `${name} on ${runtimeType}` })),
  );
}

/** One cell for each runtime: for what has nothing to do with the language. */
export async function runtimes(): Promise<Cell[]> {
  const cells = await matrix();
  return cells.filter((cell, i) => cells.findIndex(c => c.runtimeType === cell.runtimeType) === i);
}

/**
 * One cell for each kind of sandbox: for what is the doing of the agent and of the walls around it, which are the same in all local
 * sandboxes, whatever is interpreted there.
 */
export async function kinds(): Promise<Cell[]> {
  return (await runtimes()).filter(({ runtimeType }) => ['Python', 'Docker'].includes(runtimeType));
}

interface LanguageRow {
  readonly name: string;
  readonly runtimes: { runtimeType: string; available: boolean }[];
}
