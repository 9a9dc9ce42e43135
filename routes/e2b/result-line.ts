import type { MimeBundle } from '../../src/kernels/protocol.ts';

/** Their names of the forms that a result may have. Clients can't read a result with others, which are left out. */
const FORMS: readonly (readonly [string, string])[] = [
  ['text', 'text/plain'],
  ['html', 'text/html'],
  ['markdown', 'text/markdown'],
  ['svg', 'image/svg+xml'],
  ['png', 'image/png'],
  ['jpeg', 'image/jpeg'],
  ['pdf', 'application/pdf'],
  ['latex', 'text/latex'],
  ['json', 'application/json'],
  ['javascript', 'application/javascript'],
  ['data', 'e2b/data'],
];
const CHART = 'e2b/chart';
/** Values of the largest chart, twice what kernels tell; one that a program makes up could have millions. */
const MAX_CHART_VALUES = 100_000;

/** A rich result of a cell. `isMain`: the value of its last expression. */
export function resultLine(bundle: MimeBundle, isMain: boolean): object {
  const forms = FORMS.flatMap(([name, mime]) =>
    Object.hasOwn(bundle, mime) ? [[name, name === 'text' ? unquoted(bundle[mime]) : bundle[mime]]] : [],
  );
  const hasChart =
    Object.hasOwn(bundle, CHART) && countValues(bundle[CHART], MAX_CHART_VALUES) <= MAX_CHART_VALUES;
  return {
    type: 'result',
    ...Object.fromEntries(forms),
    ...(hasChart && { chart: withFractions(bundle[CHART]) }),
    is_main_result: isMain,
  };
}

/** Values of a form, itself and those within it; of one with more than so many, a number above that. */
function countValues(value: unknown, most: number): number {
  if (typeof value !== 'object' || value === null) return 1;
  let count = 1;
  for (const each of Object.values(value)) {
    count += countValues(each, most - count);
    if (count > most) break;
  }
  return count;
}

/** All numbers of charts have a fraction, in JSON too: clients of Python are promised `float`s. The kernel's lines nest no deeper than others. */
function withFractions(value: unknown): unknown {
  // One with an exponent is a float already.
  if (typeof value === 'number' && /^-?\d+$/.test(`${value}`)) return JSON.rawJSON(`${value}.0`);
  if (Array.isArray(value)) return value.map(withFractions);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, withFractions(each)]));
}

/** A string is shown as what it says, and not as it is written in a program. */
function unquoted(text: unknown): unknown {
  return typeof text === 'string' && /^(?:'.*'|".*")$/s.test(text) && text.length > 1
    ? text.slice(1, -1)
    : text;
}
