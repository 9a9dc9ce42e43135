import { invalid } from '../errors.ts';

/** Of one list. */
export const MAX_REQUIREMENTS = 100;
const MAX_CHARACTERS = 10_000;
/** Spaces in a row mean what one does; a pattern that looks for them in several places would try all ways to share them out. */
const SPACES = / +/g;

/** A requirement of Python (PEP 508) that names a package of the index, and nothing else. */
const NAME = '[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?';
const EXTRAS = `\\[ *${NAME}(?: *, *${NAME})* *\\]`;
const VERSION = '(?:===|[<>=!~]=|[<>]) *[A-Za-z0-9.!+*_-]+';
const VERSIONS = `${VERSION}(?: *, *${VERSION})*`;
/** Names of PEP 508's variables, comparisons, and texts in quotes. */
const MARKER = `[A-Za-z0-9_ ()<>=!~.,"'+*-]+`;
const PYTHON = new RegExp(
  `^ *(?<name>${NAME}) *(?:${EXTRAS})? *(?:(?<versions>${VERSIONS})|\\( *(?<within>${VERSIONS}) *\\))? *(?:; *${MARKER})?$`,
);

/** What is often written, and what it is called. */
const OFTEN: readonly (readonly [RegExp, string])[] = [
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what it looks for
  [/[\u0000-\u001f\u007f]/, 'holds a control character'],
  [/^ *-/, 'is an option'],
  [/@|:\/\//, 'names a place, and packages come from the index of this server alone'],
  [/^ *[./~]|[\\/]/, 'is a path'],
];

export interface Requirement {
  /** As it was written, without spaces around it, and no two in a row. */
  readonly text: string;
  /** As an index spells it (PEP 503). */
  readonly name: string;
  /** It allows one version only. */
  readonly pinned: boolean;
}

/** @throws {ServiceError} VALIDATION_ERROR naming the entry of `field` */
export function pythonRequirements(list: readonly string[], field: string): Requirement[] {
  checkSize(list, field);
  return list.map((asked, i) => {
    const text = asked.replace(SPACES, ' ');
    const refuse = (why: string) => invalid(`${field}[${i}]`, `${shown(text)} ${why}`);
    const often = OFTEN.find(([pattern]) => pattern.test(text));
    if (often) throw refuse(often[1]);
    const { name, versions, within } = PYTHON.exec(text)?.groups ?? {};
    if (name === undefined)
      throw refuse('is no requirement such as pandas, pandas==2.* or requests[socks]>=2.31');
    const pinned = /^===? *[^*]+$/.test(versions ?? within ?? '') && !text.includes(';');
    return { text: text.trim(), name: name.toLowerCase().replace(/[-_.]+/g, '-'), pinned };
  });
}

function checkSize(list: readonly string[], field: string): void {
  if (list.length > MAX_REQUIREMENTS) throw invalid(field, `has more than ${MAX_REQUIREMENTS} entries`);
  const characters = list.reduce((sum, text) => sum + text.length, 0);
  if (characters > MAX_CHARACTERS) throw invalid(field, `has more than ${MAX_CHARACTERS} characters`);
}

function shown(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
