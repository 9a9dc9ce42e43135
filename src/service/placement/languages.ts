import { ServiceError } from '../../errors.ts';
import { aliasesOf, findLanguage, languages, languagesInWords } from '../../languages/index.ts';
import type { Language } from '../../languages/language.ts';
import type { Runtime } from '../../runtimes/runtime.ts';
import type { LanguageInfo, RuntimeInfo } from '../../schemas/language.ts';
import { selectRuntime } from './runtime-selector.ts';

/** Every language with the current state of its runtimes. */
export function listLanguages(runtimes: readonly Runtime[]): LanguageInfo[] {
  return languages.map(language => describe(language, runtimes));
}

/** @throws {ServiceError} NOT_FOUND */
export function describeLanguage(name: string, runtimes: readonly Runtime[]): LanguageInfo {
  const found = findLanguage(name);
  if (!found)
    throw new ServiceError('NOT_FOUND', `Language not found: ${name}`, {
      details: `There are, with aliases: ${languagesInWords()}`,
    });
  return describe(found.language, runtimes);
}

function describe(language: Language, runtimes: readonly Runtime[]): LanguageInfo {
  const able = runtimes.filter(runtime => runtime.toolchainFor(language));
  return {
    name: language.name,
    displayName: language.displayName,
    version: balancedVersion(language, runtimes),
    aliases: aliasesOf(language),
    dockerImage: language.dockerImage,
    runtimes: able.map(runtime => runtimeInfo(runtime, language)),
  };
}

function runtimeInfo(runtime: Runtime, language: Language): RuntimeInfo {
  const { type: runtimeType, isolationLevel } = runtime;
  const state = runtime.stateFor(language);
  if (state.available) {
    const { version, startupMs, memoryMB } = state;
    return { runtimeType, available: true, reason: null, version, startupMs, memoryMB, isolationLevel };
  }
  const reason = state.remedy ? `${state.reason} (cure: ${state.remedy})` : state.reason;
  const { version } = state;
  return { runtimeType, available: false, reason, version, startupMs: null, memoryMB: null, isolationLevel };
}

function balancedVersion(language: Language, runtimes: readonly Runtime[]): string | null {
  try {
    const asked = { language, preference: 'Balanced', forced: undefined, request: {} } as const;
    return selectRuntime(runtimes, asked).stateFor(language).version;
  } catch {
    return null;
  }
}
