import { extname } from 'node:path';

const LANGUAGES: Readonly<Record<string, string>> = {
  '.py': 'python',
  '.js': 'javascript',
  '.mjs': 'javascript',
  '.cjs': 'javascript',
  '.ts': 'typescript',
  '.mts': 'typescript',
  '.cts': 'typescript',
  '.go': 'go',
  '.cs': 'csharp',
  '.csx': 'csharp',
};

/** The language that a file's name tells. */
export const languageOf = (file: string): string | undefined => LANGUAGES[extname(file).toLowerCase()];
