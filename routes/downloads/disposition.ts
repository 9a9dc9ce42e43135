import { basename } from 'node:path/posix';
import { pathBytes } from '../../src/wire/path-bytes.ts';

/** `Content-Disposition` (RFC 6266) under which a file is saved and never shown. Bytes of a name that are no UTF-8 stay what they are. */
export function attachment(path: string): string {
  const bytes = pathBytes(basename(path));
  const plain = /^[\w.-]+$/.test(bytes.toString('latin1'));
  if (plain) return `attachment; filename="${bytes.toString('latin1')}"`;
  const escaped = [...bytes].map(byte =>
    /[\w.-]/.test(String.fromCharCode(byte)) && byte < 0x80
      ? String.fromCharCode(byte)
      : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
  );
  return `attachment; filename*=UTF-8''${escaped.join('')}`;
}
