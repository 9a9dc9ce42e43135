import { bun } from './bun.ts';
import type { Language } from './language.ts';

export const javascript: Language = {
  name: 'javascript',
  displayName: 'JavaScript',
  aliases: ['js', 'node', 'nodejs'],
  dockerImage: 'codebeaker-nodejs:latest',
  fileName: 'main.js',
  runtimes: { Bun: bun },
};
