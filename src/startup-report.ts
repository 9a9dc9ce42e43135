import { type Config, printConfig } from './config.ts';
import { languages } from './languages/index.ts';
import type { Language } from './languages/language.ts';
import type { Runtime } from './runtimes/runtime.ts';

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
    ...available.map(describe),
    ...missing(runtimes),
    '',
    'Settings (npm start -- --settings shows all)',
    ...(settings.length > 0 ? settings : ['none is set']).map(line => `  ${line}`),
    '',
    ...(available.length > 0 ? howToTry(parts, available) : whatToDo(address, runtimes)),
  ].join('\n');
}

function describe(runtime: Runtime): string {
  const { type, state, isolationLevel } = runtime;
  if (!state.available) return '';
  const names = languages.filter(language => runtime.toolchainFor(language)).map(({ name }) => name);
  const start = `${Math.round(state.startupMs)} ms to start`;
  return `  ${type.padEnd(8)} ${state.version.padEnd(10)} isolation ${isolationLevel}/10, ${start}: ${names.join(', ')}`;
}

/** Those that are missing, by why they are. */
function missing(runtimes: readonly Runtime[]): string[] {
  const why = new Map<string, { types: string[]; remedy: string | null }>();
  for (const { type, state } of runtimes) {
    if (state.available) continue;
    const { reason, remedy } = state;
    const same = why.get(`${reason}\0${remedy}`) ?? { types: [], remedy };
    same.types.push(type);
    why.set(`${reason}\0${remedy}`, same);
  }
  return [...why].flatMap(([key, { types, remedy }]) => [
    `  ${types.join(', ').padEnd(8)} unavailable: ${key.split('\0')[0]?.replace(/\s+/g, ' ')}`,
    ...(remedy ? [`           Cure: ${remedy}`] : []),
  ]);
}

function howToTry({ config, address }: ReportParts, available: readonly Runtime[]): string[] {
  // A wildcard is an address to listen on and none to call.
  const url = address.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:');
  const runs = ({ name }: Language) =>
    available.some(runtime => languages.some(each => each.name === name && runtime.toolchainFor(each)));
  const { name: language = 'python' } = languages.find(runs) ?? {};
  const body = JSON.stringify({ language, code: PROGRAMS[language] });
  const key = config.apiKeys.length > 0 ? " -H 'X-API-Key: ONE OF CODEBEAKER_API_KEYS'" : '';
  return [
    'Try it',
    `  in a browser  ${url}/docs`,
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
    `Meanwhile ${address} answers /health and /docs, and refuses to run code for the reasons above.`,
  ];
}
