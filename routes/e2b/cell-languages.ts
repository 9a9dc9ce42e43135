import { notThere } from './refusals.ts';

/** Languages that keep state from cell to cell. */
export type ContextLanguage = 'python' | 'javascript' | 'typescript';

/** What clients may call them, and the shell, each of whose cells is a program of its own. */
const NAMES: Readonly<Record<string, ContextLanguage | 'bash'>> = {
  python: 'python',
  python3: 'python',
  javascript: 'javascript',
  js: 'javascript',
  typescript: 'typescript',
  ts: 'typescript',
  bash: 'bash',
};

/** @throws {Refusal} 501 for what their templates have and this server has not */
export function cellLanguage(name: string): ContextLanguage | 'bash' {
  const lower = name.toLowerCase();
  if (Object.hasOwn(NAMES, lower)) return NAMES[lower]!;
  throw notThere(
    `Language ${JSON.stringify(name.slice(0, 100))}, beside python, javascript, typescript and bash, is`,
  );
}

/** @throws {Refusal} 501 */
export function contextLanguage(name: string): ContextLanguage {
  const language = cellLanguage(name);
  if (language === 'bash')
    throw notThere('A context of bash, whose cells keep nothing for the next one here, is');
  return language;
}
