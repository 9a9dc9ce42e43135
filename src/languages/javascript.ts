import { bun } from './bun.ts';
import { deno } from './deno.ts';
import type { Language } from './language.ts';
import { nodejs } from './nodejs.ts';

export const javascript: Language = {
  name: 'javascript',
  displayName: 'JavaScript',
  aliases: ['js', 'node', 'nodejs'],
  dockerImage: 'codebeaker-nodejs:latest',
  fileName: 'main.js',
  runtimes: { Bun: bun, Deno: deno, NodeJs: nodejs, Docker: nodejs },
};
