import type { LocalRuntimeData } from './local-runtime.ts';

const PROBE = `
console.log(Deno.version.deno);
console.log(Deno.readTextFileSync('/proc/self/smaps_rollup'));
`;

export const deno: LocalRuntimeData = {
  type: 'Deno',
  languages: ['javascript', 'typescript'],
  probe: ['deno', 'eval', '--no-config', '--no-lock', PROBE],
  cure: 'npm rebuild deno',
  permissions: true,
};
