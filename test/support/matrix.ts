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

/** One cell for each interpreter on each runtime: TypeScript is run by JavaScript's interpreters and their kernels. */
export async function interpreters(): Promise<Cell[]> {
  return (await matrix()).filter(({ language }) => language !== 'typescript');
}

/**
 * One cell for each kind of sandbox: for what the service, the agent and a sandbox's walls do by themselves. All local
 * runtimes are sandboxes of one launcher, in which every interpreter is there, whichever one was picked
 * (src/runtimes/local/index.ts).
 */
export async function sandboxes(): Promise<Cell[]> {
  const cells = await runtimes();
  const isLocal = ({ runtimeType }: Cell) => runtimeType !== 'Docker';
  const local = cells.find(isLocal);
  return cells.filter(cell => cell === local || !isLocal(cell));
}

/**
 * As {@link sandboxes}, with a second local interpreter: for what is measured of a program. Python is forked from one
 * that waits, the others wait themselves, and so are in their sandbox before it belongs to anybody.
 */
export async function startedSandboxes(): Promise<Cell[]> {
  const cells = await runtimes();
  const kinds = new Set((await sandboxes()).map(({ name }) => name));
  const waits = cells.find(
    ({ dialect, runtimeType }) => dialect === 'javascript' && runtimeType !== 'Docker',
  );
  return cells.filter(cell => kinds.has(cell.name) || cell === waits);
}

interface LanguageRow {
  readonly name: string;
  readonly runtimes: { runtimeType: string; available: boolean }[];
}
