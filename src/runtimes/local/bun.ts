import type { LocalRuntimeData } from './local-runtime.ts';

const PROBE = `
console.log(Bun.version);
console.log(await Bun.file('/proc/self/smaps_rollup').text());
`;

export const bun: LocalRuntimeData = {
  type: 'Bun',
  languages: ['javascript', 'typescript'],
  probe: ['bun', '-e', PROBE],
  cure: 'npm rebuild bun',
};
