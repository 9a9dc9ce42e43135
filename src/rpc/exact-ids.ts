import { idSources } from './id-sources.ts';

declare global {
  /** https://github.com/tc39/proposal-json-parse-with-source, which Node has and TypeScript does not know yet. */
  interface JSON {
    rawJSON(text: string): RawJson;
    isRawJSON(value: unknown): value is RawJson;
  }
}
interface RawJson {
  readonly rawJSON: string;
}

/** A number in a text that a double may not hold: of 16 characters and more, or with an exponent. */
const DOUBTFUL = /[:\s]-?(?:\d[\d.]{15}|\d[\d.]*[eE])/;

/**
 * Gives requests the ids that their text has where JSON.parse gives others: a double holds few integers over 53 bits, and few
 * fractions. `value` is what the text was parsed to. Such an id becomes raw JSON, which JSON.stringify writes as it came; one
 * beyond what a double reaches becomes NaN, which is no id.
 */
export function restoreIds(text: string, value: unknown): void {
  if (!DOUBTFUL.test(text)) return;
  const requests: unknown[] = Array.isArray(value) ? value : [value];
  for (const [i, { id, paramsId }] of idSources(text).entries()) {
    const request = requests[i];
    restore(request, id);
    const { method, params } = (request ?? {}) as { method?: unknown; params?: unknown };
    if (method === '$/cancelRequest') restore(params, paramsId);
  }
}

function restore(holder: unknown, source: string | undefined): void {
  if (source === undefined || typeof holder !== 'object' || holder === null) return;
  Object.assign(holder, { id: exactNumber(source) });
}

function exactNumber(source: string): unknown {
  const parsed = Number(source);
  const decimal = decimalOf(source);
  if (!Number.isFinite(parsed) || (parsed === 0 && decimal !== '0')) return Number.NaN;
  return decimalOf(String(parsed)) === decimal ? parsed : JSON.rawJSON(source);
}

/** What tells ids apart: numbers by their exact value, not by how they are written. */
export function idKey(id: unknown): unknown {
  if (typeof id === 'string') return `"${id}`;
  return JSON.isRawJSON(id) ? decimalOf(id.rawJSON) : id;
}

/** One spelling of a number's exact value: its digits without zeros around, and an exponent. */
function decimalOf(source: string): string {
  const [mantissa = '', exponent = '0'] = source.toLowerCase().split('e');
  const [whole = '', fraction = ''] = mantissa.replace('-', '').split('.');
  const digits = whole + fraction;
  let from = 0;
  while (digits.charAt(from) === '0') from++;
  let to = digits.length;
  while (to > from && digits.charAt(to - 1) === '0') to--;
  if (from === to) return '0';
  const power = Number(exponent) - fraction.length + (digits.length - to);
  return `${source.startsWith('-') ? '-' : ''}${digits.slice(from, to)}e${power}`;
}
