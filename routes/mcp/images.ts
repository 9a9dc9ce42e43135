import type { ContentBlock } from '@modelcontextprotocol/server';

/** What models can look at. An SVG is a text. */
const TYPES = ['image/png', 'image/jpeg', 'image/gif', 'image/webp'] as const;

/** How files of those types begin, as base64 (https://mimesniff.spec.whatwg.org, 6.1). */
const BEGINNINGS: readonly (readonly [RegExp, (typeof TYPES)[number]])[] = [
  [/^iVBORw0KGgo/, 'image/png'],
  [/^\/9j\//, 'image/jpeg'],
  [/^R0lGOD/, 'image/gif'],
  [/^UklGR.{6}XRUJQ/, 'image/webp'],
];

type Bundle = Readonly<Record<string, unknown>>;

/** Takes the pictures out of a rich result: they are sent beside it, once. What is no base64 stays. */
export function picturesOf(bundle: Bundle): { rest: Bundle; pictures: ContentBlock[] } {
  const rest: Record<string, unknown> = { ...bundle };
  const pictures: ContentBlock[] = [];
  for (const mimeType of TYPES) {
    const data = base64(bundle[mimeType]);
    if (data === null) continue;
    delete rest[mimeType];
    pictures.push({ type: 'image', data, mimeType });
  }
  return { rest, pictures };
}

/** A file that was read as base64, if it is a picture. */
export function pictureIn(content: string): ContentBlock | null {
  const [, mimeType] = BEGINNINGS.find(([beginning]) => beginning.test(content)) ?? [];
  return mimeType === undefined ? null : { type: 'image', data: content, mimeType };
}

/** Clients refuse a whole answer for one picture that is not base64, and programs write what they like. */
function base64(value: unknown): string | null {
  if (typeof value !== 'string' || value === '') return null;
  const data = value.replace(/\s+/g, '');
  return data.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(data) ? data : null;
}
