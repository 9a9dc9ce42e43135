import { type Config, printConfig } from './config.ts';
import { languages } from './languages/index.ts';
import type { Language } from './languages/language.ts';
import type { Runtime, RuntimeState } from './runtimes/runtime.ts';

export interface ReportParts {
  readonly config: Config;
  readonly environment: Record<string, string | undefined>;
  readonly runtimes: readonly Runtime[];
  /** URL that the service listens on. */
  readonly address: string;
  /** That the start took. */
  readonly seconds: number;
}

/** A program for each language, the first of which is shown to a newcomer; none holds a single quote. */
const PROGRAMS: Readonly<Record<string, string>> = {
  python: 'print(6 * 7)',
  javascript: 'console.log(6 * 7)',
  typescript: 'console.log(6 * 7)',
  go: 'package main; import "fmt"; func main() { fmt.Println(6 * 7) }',
  csharp: 'class Program { static void Main() { System.Console.WriteLine(6 * 7); } }',
};

const HEADINGS = ['runtime', 'version', 'isolation', 'start', 'languages'];
/** That Bun takes, by which npm's packages are installed, with a few of those. */
const BYTES_FOR_NPM = 128_000_000;
/** See {@link Runtime.isolationLevel}. */
const MOST_ISOLATED = 10;

/** What a person reads when the server has started: whether it can run code, with what, and how to try it. */
export function startupReport(parts: ReportParts): string {
  const { config, environment, runtimes, address, seconds } = parts;
  const available = runtimes.filter(({ state }) => state.available);
  const settings = printConfig(config, environment);
  return [
    available.length > 0
      ? `CodeBeaker listens on ${address} and is ready after ${seconds.toFixed(1)} s.`
      : 'CodeBeaker can run no code here yet: no runtime is available.',
    '',
    'Runtimes',
    ...table(available),
    ...missing(runtimes),
    ...(available.length > 0 ? ['  Isolation: 1 is a bare process, 10 another machine.'] : []),
    '',
    'Settings (npm start -- --settings shows all)',
    ...(settings.length > 0 ? settings : ['none is set']).map(line => `  ${line}`),
    ...tooLow(config),
    '',
    ...(available.length > 0 ? howToTry(parts, available) : whatToDo(address, runtimes)),
  ].join('\n');
}

/** What is not to be had by settings that are fine in themselves. */
function tooLow({ packages, packagesBytes }: Config): string[] {
  return packages === 'on' && packagesBytes < BYTES_FOR_NPM
    ? [
        `  CODEBEAKER_PACKAGES_BYTES is too low for packages of npm: Bun, which installs them, takes most of ${BYTES_FOR_NPM} bytes.`,
      ]
    : [];
}

/** A line for each that is available, in columns as wide as they must be. */
function table(available: readonly Runtime[]): string[] {
  if (available.length === 0) return [];
  const rows = available.map(runtime => [
    runtime.type,
    runtime.state.version ?? '',
    `${runtime.isolationLevel} of ${MOST_ISOLATED}`,
    runtime.state.available ? `${Math.round(runtime.state.startupMs)} ms` : '',
    namesOf(languages.filter(language => runs(runtime, language))),
  ]);
  const lines = [HEADINGS, ...rows];
  const widths = HEADINGS.map((_, at) => Math.max(...lines.map(line => line[at]!.length)));
  return lines.map(row => `  ${row.map((cell, at) => cell.padEnd(widths[at]!)).join('  ')}`.trimEnd());
}

const runs = (runtime: Runtime, language: Language) =>
  runtime.toolchainFor(language) !== undefined && runtime.stateFor(language).available;

const namesOf = (some: readonly Language[]) => some.map(({ name }) => name).join(', ');

interface Gap {
  readonly name: string;
  readonly languages: readonly Language[];
  readonly state: Extract<RuntimeState, { available: false }>;
}

/** Runtimes that are missing, and languages that one lacks the means for, such as an image. */
function gapsOf(runtime: Runtime): Gap[] {
  const { type, state } = runtime;
  const own = languages.filter(language => runtime.toolchainFor(language));
  if (!state.available) return [{ name: type, languages: own, state }];
  return own.flatMap(language => {
    const lacking = runtime.stateFor(language);
    return lacking.available
      ? []
      : [{ name: `${language.name} on ${type}`, languages: [language], state: lacking }];
  });
}

/** What is missing, by why it is, and what runs those languages all the same. */
function missing(runtimes: readonly Runtime[]): string[] {
  const why = Map.groupBy(runtimes.flatMap(gapsOf), ({ state }) => `${state.reason}\0${state.remedy}`);
  return [...why.values()].flatMap(gaps => {
    const [{ state }] = gaps as [Gap];
    return [
      `  ${gaps.map(({ name }) => name).join(', ')} unavailable: ${state.reason.replace(/\s+/g, ' ')}`,
      ...(state.remedy ? [`    Cure: ${state.remedy}`] : []),
      ...insteadOf(new Set(gaps.flatMap(gap => gap.languages)), runtimes),
    ];
  });
}

function insteadOf(theirs: ReadonlySet<Language>, runtimes: readonly Runtime[]): string[] {
  const covered = [...theirs].filter(language => runtimes.some(runtime => runs(runtime, language)));
  if (covered.length === 0) return [];
  const others = runtimes.filter(runtime => covered.some(language => runs(runtime, language)));
  const run = covered.length > 1 ? 'run' : 'runs';
  return [`    ${namesOf(covered)} ${run} all the same, on ${others.map(({ type }) => type).join(', ')}`];
}

function howToTry({ config, address }: ReportParts, available: readonly Runtime[]): string[] {
  // A wildcard is an address to listen on and none to call.
  const url = address.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:');
  const { name: language = 'python' } =
    languages.find(each => available.some(runtime => runs(runtime, each))) ?? {};
  const body = JSON.stringify({ language, code: PROGRAMS[language] });
  const key = config.apiKeys.length > 0 ? " -H 'X-API-Key: ONE OF CODEBEAKER_API_KEYS'" : '';
  return [
    'Try it',
    `  in a browser  ${url}/`,
    `  in a shell    curl -s '${url}/api/execution?wait=true' -H 'content-type: application/json'${key} -d '${body}'`,
  ];
}

function whatToDo(address: string, runtimes: readonly Runtime[]): string[] {
  const remedies = new Set(runtimes.flatMap(({ state }) => (state.available ? [] : (state.remedy ?? []))));
  return [
    'What to do',
    ...(remedies.size > 0
      ? [...remedies].map(remedy => `  ${remedy}`)
      : ['  docker/README.md says what each kind of machine needs.']),
    `${remedies.size > 1 ? 'Each of these is enough for some runtimes; then' : 'Then'} start it again.`,
    `Meanwhile ${address} answers /health, / and /docs, and refuses to run code for the reasons above.`,
  ];
}
