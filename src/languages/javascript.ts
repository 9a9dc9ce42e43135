import { bun } from '../toolchains/bun.ts';
import { deno } from '../toolchains/deno.ts';
import { node } from '../toolchains/node.ts';
import type { Language } from './language.ts';

export const javascript: Language = {
  name: 'javascript',
  displayName: 'JavaScript',
  aliases: ['js'],
  runtimeAliases: { node: 'NodeJs', nodejs: 'NodeJs' },
  dockerImage: 'codebeaker-nodejs:latest',
  fileName: 'main.js',
  toolchains: [bun, deno, node],
};
