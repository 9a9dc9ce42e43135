import { createHash } from 'node:crypto';

const IMPORT_MAP = /<script type="importmap">([\s\S]*?)<\/script>/g;

/**
 * What the page may load and do: its own files and calls of this origin. No script or style within the page, save the map of its imports, which is
 * known by its digest; no string becomes a script, and none becomes HTML but what is shown in a frame without any rights, which may go nowhere.
 */
export function contentSecurityPolicy(html: string): string {
  const maps = [...html.matchAll(IMPORT_MAP)].map(
    ([, text = '']) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`,
  );
  return [
    "default-src 'none'",
    `script-src 'self' ${maps.join(' ')}`,
    "style-src 'self'",
    "img-src 'self' data: blob:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    'trusted-types shown-in-frames',
  ].join('; ');
}
