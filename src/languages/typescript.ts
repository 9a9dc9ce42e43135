import { bun } from '../toolchains/bun.ts';
import { deno } from '../toolchains/deno.ts';
import { node } from '../toolchains/node.ts';
import type { Language } from './language.ts';

/** `bun` and `deno` mean TypeScript there: what they call their language, and nearly all JavaScript is that too. */
export const typescript: Language = {
  name: 'typescript',
  displayName: 'TypeScript',
  aliases: ['ts'],
  toolchainAliases: { bun, deno },
  dockerImage: 'codebeaker-nodejs:latest',
  fileName: 'main.ts',
  toolchains: [bun, deno, node],
};
