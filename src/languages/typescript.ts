import { bun } from './bun.ts';
import type { Language } from './language.ts';

/** `bun` means TypeScript on Bun: what Bun calls its language, and nearly all JavaScript is that too. */
export const typescript: Language = {
  name: 'typescript',
  displayName: 'TypeScript',
  aliases: ['ts'],
  runtimeAliases: { bun: 'Bun' },
  dockerImage: 'codebeaker-nodejs:latest',
  fileName: 'main.ts',
  runtimes: { Bun: bun },
};
