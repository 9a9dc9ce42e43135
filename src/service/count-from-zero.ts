import { languages } from '../languages/index.ts';
import type { Metrics } from '../metrics.ts';
import { allEcosystems } from '../packages/ecosystems.ts';
import { INSTALL_OUTCOMES } from '../packages/install-records.ts';
import { SHORTAGES } from '../runtimes/no-sandbox.ts';
import type { Runtime } from '../runtimes/runtime.ts';
import { Outcome } from '../schemas/outcome.ts';
import { CODINGS, DIRECTIONS } from './transfers/codings.ts';

/** Shows every series that there can be at 0 from the start, so that monitoring finds it and sees its first increase. */
export function countFromZero(
  { failedStarts, sandboxCreation, runs, runSeconds, ...more }: Metrics,
  runtimes: readonly Pick<Runtime, 'type' | 'toolchainFor'>[],
  has: { packages: boolean; networks: boolean },
): void {
  for (const coding of CODINGS)
    for (const direction of DIRECTIONS) more.codingSeconds.inc({ coding, direction }, 0);
  if (has.networks) more.confinedLost.inc({ process: 'egress' }, 0);
  if (has.packages) {
    more.confinedLost.inc({ process: 'registry' }, 0);
    for (const { name: ecosystem } of allEcosystems) {
      more.installSeconds.zero({ ecosystem });
      more.installedBytes.inc({ ecosystem }, 0);
      for (const outcome of INSTALL_OUTCOMES) more.installs.inc({ ecosystem, outcome }, 0);
    }
  }
  for (const runtime of runtimes) {
    const { type } = runtime;
    for (const reason of SHORTAGES) failedStarts.inc({ runtime: type, reason }, 0);
    for (const pool of ['hit', 'miss']) sandboxCreation.zero({ runtime: type, pool });
    for (const language of languages.filter(each => runtime.toolchainFor(each))) {
      const labels = { language: language.name, runtime: type };
      runSeconds.zero(labels);
      for (const outcome of Outcome.enum) runs.inc({ ...labels, outcome }, 0);
    }
  }
}
