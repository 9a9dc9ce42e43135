import { bun } from './bun.ts';
import { deno } from './deno.ts';
import type { Language } from './language.ts';
import { nodejs } from './nodejs.ts';

/** `bun` and `deno` mean TypeScript there: what they call their language, and nearly all JavaScript is that too. */
export const typescript: Language = {
  name: 'typescript',
  displayName: 'TypeScript',
  aliases: ['ts'],
  runtimeAliases: { bun: 'Bun', deno: 'Deno' },
  dockerImage: 'codebeaker-nodejs:latest',
  fileName: 'main.ts',
  runtimes: { Bun: bun, Deno: deno, NodeJs: nodejs, Docker: nodejs },
};
