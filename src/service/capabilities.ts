import type { Config } from '../config.ts';
import { languages } from '../languages/index.ts';
import type { Language } from '../languages/language.ts';
import { ecosystemOf } from '../packages/ecosystems.ts';
import type { Runtime, RuntimeCapabilities } from '../runtimes/runtime.ts';
import { FEATURE_NAMES, type Feature } from '../schemas/features.ts';
import { LIMITS } from '../schemas/limits.ts';
import type { Capabilities } from './service.ts';

/**
 * What can be asked for on this machine at this moment. `packages`: the operator has them installed; `debuggers`: those can be had that are
 * installed; `ports`: connections are carried into sandboxes.
 */
export function capabilitiesOf(
  runtimes: readonly Runtime[],
  config: Pick<Config, 'maxTimeoutSeconds' | 'maxMemoryMB' | 'maxConcurrency'>,
  { packages, debuggers, ports }: { packages: boolean; debuggers: boolean; ports: boolean },
): Capabilities {
  const runs = (language: Language, ability?: keyof RuntimeCapabilities) =>
    runtimes.some(
      runtime =>
        (ability === undefined || runtime.capabilities[ability]) &&
        runtime.toolchainFor(language) &&
        runtime.stateFor(language).available,
    );
  const supported = languages.filter(language => runs(language));
  const debugs = (language: Language) =>
    runtimes.some(runtime => {
      const spec = runtime.toolchainFor(language)?.debugger;
      if (!spec || !runtime.stateFor(language).available) return false;
      return spec.wheel === null || (debuggers && runtime.capabilities.layers);
    });
  const works: Partial<Record<Feature, (language: Language) => boolean>> = {
    Debugging: debugs,
    // By the agent, which is in every sandbox.
    FileWatch: () => true,
    PortForwarding: () => ports,
    Terminals: language => runs(language, 'pty'),
    Packages: language => packages && ecosystemOf(language) !== undefined && runs(language, 'layers'),
    Network: language => runs(language, 'egress'),
    Snapshots: language => runs(language, 'snapshot'),
  };
  const somewhere = (feature: Feature) => supported.some(language => works[feature]?.(language));
  return {
    supportedLanguages: supported.map(({ name }) => name),
    supports: new Set(FEATURE_NAMES.filter(somewhere)),
    limits: {
      maxTimeout: config.maxTimeoutSeconds,
      maxMemory: config.maxMemoryMB,
      maxConcurrency: config.maxConcurrency,
      maxCodeLength: LIMITS.codeLength,
      maxMessageBytes: LIMITS.messageBytes,
    },
  };
}
