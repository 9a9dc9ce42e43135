import type { LocalRuntimeData } from './local-runtime.ts';

const PROBE = `
console.log(process.versions.node);
console.log(require('node:fs').readFileSync('/proc/self/smaps_rollup', 'utf8'));
`;

export const nodejs: LocalRuntimeData = {
  type: 'NodeJs',
  languages: ['javascript', 'typescript'],
  probe: ['node', '-e', PROBE],
  cure: 'npm rebuild node',
};
