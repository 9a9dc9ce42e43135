import { invalid } from '../../src/errors.ts';

/** `X-File-Mode`: permissions in octal; null without one. @throws {ServiceError} */
export function modeIn(header: string | string[] | undefined): number | null {
  if (header === undefined) return null;
  if (typeof header === 'string' && /^0?[0-7]{3}$/.test(header)) return Number.parseInt(header, 8);
  throw invalid('x-file-mode', 'is not permissions in octal, such as 644');
}

export function modeText(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}
