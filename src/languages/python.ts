import { cpython } from '../toolchains/cpython.ts';
import type { Language } from './language.ts';

export const python: Language = {
  name: 'python',
  displayName: 'Python',
  aliases: ['py', 'python3'],
  dockerImage: 'codebeaker-python:latest',
  fileName: 'main.py',
  toolchains: [cpython],
};
