import semver from 'semver';
import type { LanguageInfo, RuntimeInfo } from '../../src/schemas/language.ts';

/** One entry of `GET /runtimes`. */
export interface PistonRuntime {
  readonly language: string;
  /** A semantic version, as their clients compare them. */
  readonly version: string;
  readonly aliases: readonly string[];
  readonly runtime: string;
}

/** What an entry means to us. */
export interface FoundRuntime extends PistonRuntime {
  /** A runtime of ours that is asked for by name. */
  readonly runtimeType: string;
}

/** Every version of every language that is here, once; of those that are equal the runtime listed first. */
export function pistonRuntimes(languages: readonly LanguageInfo[]): FoundRuntime[] {
  return languages.flatMap(language => {
    const available = language.runtimes.filter(runtime => runtime.available);
    const first = new Map<string, RuntimeInfo>();
    for (const runtime of available) {
      const version = semver.coerce(runtime.version)?.version;
      if (version !== undefined && !first.has(version)) first.set(version, runtime);
    }
    const several = [...first.values()];
    return [...first].map(([version, { runtimeType }]) => {
      const aliases = aliasesOf(language, runtimeType, several);
      const runtime = runtimeType.toLowerCase();
      return { language: language.name, version, aliases, runtime, runtimeType };
    });
  });
}

/** The newest that has this name or alias and whose version is in the range. */
export function findRuntime(
  runtimes: readonly FoundRuntime[],
  name: string,
  range: string,
): FoundRuntime | undefined {
  const word = name.toLowerCase();
  return runtimes
    .filter(({ language, aliases }) => language === word || aliases.includes(word))
    .filter(({ version }) => semver.satisfies(version, range))
    .reduce<FoundRuntime | undefined>(
      (best, each) => (best && semver.gte(best.version, each.version) ? best : each),
      undefined,
    );
}

/**
 * Aliases of a language on one of its runtimes. One that is the beginning of a runtime's name, as `node` is, means that runtime
 * alone; with it come Piston's own compounds, such as `node-js`.
 */
function aliasesOf(language: LanguageInfo, runtimeType: string, listed: readonly RuntimeInfo[]): string[] {
  const owner = (alias: string) =>
    listed.find(runtime => runtime.runtimeType.toLowerCase().startsWith(alias))?.runtimeType;
  const own = language.aliases.filter(alias => owner(alias) === runtimeType);
  const common = language.aliases.filter(alias => owner(alias) === undefined);
  const prefixes = listed.length > 1 ? new Set([runtimeType.toLowerCase(), ...own]) : [];
  const compounds = [...prefixes].flatMap(prefix =>
    [language.name, ...common].map(alias => `${prefix}-${alias}`),
  );
  return [...common, ...own, ...compounds];
}
