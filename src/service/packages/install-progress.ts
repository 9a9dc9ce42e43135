import type { InstallProgress } from '../../packages/layer-maker.ts';

const PHASES: readonly InstallProgress['phase'][] = ['resolve', 'download', 'install', 'verify', 'ready'];

const WORDS: Record<InstallProgress['phase'], string> = {
  resolve: 'looking up',
  download: 'downloading',
  install: 'installing',
  verify: 'verifying',
  ready: 'installed',
};

/** How far an install has come, as an event tells it. */
export function progressEvent({ phase, package: name, bytes, totalBytes }: InstallProgress) {
  return {
    step: PHASES.indexOf(phase) + 1,
    total: PHASES.length,
    message: name === null ? WORDS[phase] : `${WORDS[phase]} ${name}`,
    phase,
    ...(name !== null && { package: name }),
    ...(bytes !== null && { bytes }),
    ...(totalBytes !== null && { totalBytes }),
  };
}
