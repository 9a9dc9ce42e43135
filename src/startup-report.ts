import { type Config, printConfig } from './config.ts';
import { languages } from './languages/index.ts';
import type { Runtime } from './runtimes/runtime.ts';

/** The start-up report for operators: the configuration, available runtimes, and remedies for the others. */
export function startupReport(config: Config, runtimes: readonly Runtime[]): string {
  return [
    ...printConfig(config).map(line => `  ${line}`),
    'Runtimes',
    ...runtimes.flatMap(describe),
    ...(runtimes.some(runtime => runtime.state.available)
      ? []
      : [
          'No runtime is available: /health and /docs answer, and running code is refused with the reason above.',
        ]),
  ].join('\n');
}

function describe(runtime: Runtime): string[] {
  const { type, state, isolationLevel } = runtime;
  const name = `  ${type.padEnd(8)}`;
  if (state.available) {
    const names = languages.filter(language => runtime.toolchainFor(language)).map(({ name }) => name);
    const start = `${Math.round(state.startupMs)} ms to start`;
    return [
      `${name} ${state.version.padEnd(10)} isolation ${isolationLevel}/10, ${start}: ${names.join(', ')}`,
    ];
  }
  const reason = `${name} unavailable: ${state.reason}`;
  return state.remedy ? [reason, `           Cure: ${state.remedy}`] : [reason];
}
