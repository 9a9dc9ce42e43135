import { invalid } from '../errors.ts';
import { spelledInPython } from './registry/spelled-in-python.ts';

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

/** A name of npm's; older ones have capitals. */
const NPM_NAME = '(?:@[a-z0-9~-][a-z0-9._~-]*/)?[A-Za-z0-9~-][A-Za-z0-9._~-]*';
const MAX_NPM_NAME = 214;
/** A version or part of one, as node-semver reads ranges of them. */
const PART = '(?:\\d+|[xX*])';
const NPM_VERSION = `(?:(?:[<>]=?|=|\\^|~>?) *)?v?${PART}(?:\\.${PART}){0,2}(?:-[0-9A-Za-z.-]+)?(?:\\+[0-9A-Za-z.-]+)?`;
const NPM_RANGE = `${NPM_VERSION}(?:(?: +- +| *\\|\\| *| +)${NPM_VERSION})*`;
/** With dots before parts of versions only, as in ts4.9 or latest-1.x: names of archives have others. */
const NPM_TAG = '[A-Za-z][A-Za-z0-9_-]*(?:\\.(?:\\d+|[xX])(?![A-Za-z0-9]))*';
const NPM = new RegExp(`^ *(?<name>${NPM_NAME})(?:@ *(?<range>${NPM_RANGE}|${NPM_TAG}))? *$`);

/** A module of Go's, or a package of one: the first element is a host, and has a dot (go.dev/ref/mod#module-path). */
const GO_NAME =
  '[A-Za-z0-9_~][A-Za-z0-9_~-]*(?:\\.[A-Za-z0-9_~-]+)+(?:/[A-Za-z0-9_~-]+(?:\\.[A-Za-z0-9_~-]+)*)*';
const GO_VERSION = 'v\\d+(?:\\.\\d+){0,2}(?:-[0-9A-Za-z.-]+)?(?:\\+incompatible)?';
const GO = new RegExp(`^ *(?<name>${GO_NAME})(?:@(?<version>${GO_VERSION}|latest))? *$`);
/** What comes with Go, where no element has a dot. */
const GO_LIBRARY = /^ *[a-z0-9]+(?:\/[a-z0-9]+)*(?:@\S*)? *$/;

/** What is often written, and what it is called. */
type Often = readonly (readonly [RegExp, string])[];
const EVERYWHERE: Often = [
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what it looks for
  [/[\u0000-\u001f\u007f]/, 'holds a control character'],
  [/^ *-/, 'is an option'],
];
const PLACE = 'names a place, and packages come from the index of this server alone';
const IN_PYTHON: Often = [...EVERYWHERE, [/@|:\/\//, PLACE], [/^ *[./~]|[\\/]/, 'is a path']];
const IN_NPM: Often = [...EVERYWHERE, [/:/, PLACE], [/^ *[./~]|^ *[^@ ].*\/|\/.*\/|\\/, 'is a path']];

const IN_GO: Often = [...EVERYWHERE, [/:/, PLACE], [/^ *[./~]|\\|\/\.|\/\/|\/ *$|\.\./, 'is a path']];

export interface Requirement {
  /** As it was written, without spaces around it, and no two in a row. */
  readonly text: string;
  /** As its index spells it. */
  readonly name: string;
  /** What versions of it, in the ecosystem's own words; empty for any. */
  readonly versions: string;
  /** It allows one version only. */
  readonly pinned: boolean;
}

/** @throws {ServiceError} VALIDATION_ERROR naming the entry of `field` */
export function pythonRequirements(list: readonly string[], field: string): Requirement[] {
  return parsed(list, field, IN_PYTHON, text => {
    const { name, versions, within } = PYTHON.exec(text)?.groups ?? {};
    if (name === undefined) return 'is no requirement such as pandas, pandas==2.* or requests[socks]>=2.31';
    const wanted = versions ?? within ?? '';
    const pinned = /^===? *[^*]+$/.test(wanted) && !text.includes(';');
    return { name: spelledInPython(name), versions: wanted, pinned };
  });
}

/** @throws {ServiceError} VALIDATION_ERROR naming the entry of `field` */
export function npmRequirements(list: readonly string[], field: string): Requirement[] {
  const names = new Set<string>();
  return parsed(list, field, IN_NPM, text => {
    const { name, range = '' } = NPM.exec(text)?.groups ?? {};
    if (name === undefined || name.length > MAX_NPM_NAME)
      return 'is no package such as lodash, lodash@4 or @scope/name@^1.2';
    if (names.has(name)) return 'names a package that is in the list already';
    names.add(name);
    return { name, versions: range, pinned: /^=? *v?\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?$/.test(range) };
  });
}

/** @throws {ServiceError} VALIDATION_ERROR naming the entry of `field` */
export function goRequirements(list: readonly string[], field: string): Requirement[] {
  const names = new Set<string>();
  return parsed(list, field, IN_GO, text => {
    const { name, version = 'latest' } = GO.exec(text)?.groups ?? {};
    if (name === undefined)
      return GO_LIBRARY.test(text)
        ? "names no host: it is of Go's own library, which is there already"
        : 'is no module such as github.com/google/uuid or github.com/google/uuid@v1.6.0';
    if (names.has(name)) return 'names a module that is in the list already';
    names.add(name);
    return { name, versions: version, pinned: /^v\d+\.\d+\.\d+/.test(version) };
  });
}

/** `read`: an entry, or what is wrong with it. */
function parsed(
  list: readonly string[],
  field: string,
  often: Often,
  read: (text: string) => Omit<Requirement, 'text'> | string,
): Requirement[] {
  checkSize(list, field);
  return list.map((asked, i) => {
    const text = asked.replace(SPACES, ' ');
    const wrong = often.find(([pattern]) => pattern.test(text))?.[1];
    const found = wrong ?? read(text);
    if (typeof found === 'string') throw invalid(`${field}[${i}]`, `${shown(text)} ${found}`);
    return { text: text.trim(), ...found };
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
