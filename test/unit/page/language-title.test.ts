import { expect, test } from 'vitest';
import { judge0Languages } from '../../../routes/judge0/languages.ts';
import { titleOf } from '../../../routes/page/app/language-title.ts';
import type { LanguageInfo, RuntimeInfo } from '../../../src/schemas/language.ts';

const runtime = (runtimeType: RuntimeInfo['runtimeType'], version: string): RuntimeInfo => ({
  runtimeType,
  version,
  available: true,
  reason: null,
  startupMs: 1,
  memoryMB: 1,
  isolationLevel: 7,
});
const language = (name: string, displayName: string, runtimes: readonly RuntimeInfo[]): LanguageInfo => ({
  name,
  displayName,
  version: runtimes[0]?.version ?? null,
  aliases: [],
  dockerImage: null,
  runtimes: [...runtimes],
});

const BUN = runtime('Bun', '1.4.5');
const DENO = runtime('Deno', '2.9.6');
const DOCKER = runtime('Docker', '24.21.0');

test.each([
  [language('typescript', 'TypeScript', [BUN, DOCKER]), 'TypeScript (Bun 1.4.5)'],
  [language('javascript', 'JavaScript', [DENO, DOCKER]), 'JavaScript (Deno 2.9.6)'],
  [language('typescript', 'TypeScript', [DOCKER]), 'TypeScript (Node.js 24.21.0)'],
  [language('python', 'Python', [runtime('Python', '3.11.2')]), 'Python 3.11.2'],
  [language('go', 'Go', []), 'Go'],
])('a version is shown with what it is one of: %#', (info, title) => {
  expect(titleOf(info)).toBe(title);
});

test('Judge0’s clients are told so too', () => {
  const names = (...languages: LanguageInfo[]) => judge0Languages(languages).map(({ name }) => name);
  expect(names(language('typescript', 'TypeScript', [BUN, DOCKER]))).toEqual(['TypeScript (Bun 1.4.5)']);
  expect(names(language('javascript', 'JavaScript', [DOCKER]))).toEqual(['JavaScript (Node.js 24.21.0)']);
  expect(names(language('go', 'Go', [runtime('Go', '1.26.8')]))).toEqual(['Go (1.26.8)']);
});
