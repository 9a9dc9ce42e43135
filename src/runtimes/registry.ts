import { bun } from '../toolchains/bun.ts';
import { cpython } from '../toolchains/cpython.ts';
import { deno } from '../toolchains/deno.ts';
import { node } from '../toolchains/node.ts';
import { docker } from './docker/index.ts';
import { local, localGo } from './local/index.ts';
import type { RuntimeProvider } from './provider.ts';

/** Every runtime, in the order that breaks ties of the selection. A line registers one; a new one is a folder and a line. */
export const providers: readonly RuntimeProvider[] = [
  local('Bun', bun),
  local('Deno', deno),
  local('NodeJs', node),
  local('Python', cpython),
  localGo,
  docker,
];
