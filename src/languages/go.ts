import { gc } from '../toolchains/go.ts';
import type { Language } from './language.ts';

export const go: Language = {
  name: 'go',
  displayName: 'Go',
  aliases: ['golang'],
  dockerImage: 'codebeaker-golang:latest',
  fileName: 'main.go',
  toolchains: [gc],
};
