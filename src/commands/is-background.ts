import type { CommandRequest } from './index.ts';

/** Whether a command is answered at once and goes on after that. */
export function isBackground({ params }: CommandRequest): boolean {
  return 'background' in params && params.background === true;
}
