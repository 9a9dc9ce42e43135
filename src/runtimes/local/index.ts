import type { RuntimeType } from '../../schemas/session.ts';
import { bun } from '../../toolchains/bun.ts';
import { cpython } from '../../toolchains/cpython.ts';
import { deno } from '../../toolchains/deno.ts';
import { gc } from '../../toolchains/go.ts';
import { node } from '../../toolchains/node.ts';
import type { Toolchain } from '../../toolchains/toolchain.ts';
import type { RuntimeProvider } from '../provider.ts';
import { GO_ENVIRONMENT, GoTrees } from './go-trees.ts';
import { Launchers } from './launchers.ts';
import { LocalRuntime } from './local-runtime.ts';

/** Interpreters that every local sandbox finds on its PATH, whichever runtime was picked. */
const GUESTS: readonly Toolchain[] = [bun, deno, node, cpython];

/** Sandboxes of this machine's own, for one toolchain of it. */
export function local(type: RuntimeType, toolchain: Toolchain): RuntimeProvider {
  return {
    type,
    create: ({ launchers, packages, network }) =>
      new LocalRuntime({ type, toolchain, guests: GUESTS, launchers, layers: packages !== null, network }),
  };
}

/** Go's sandboxes show more trees and are there later than the others', so they have a launcher of their own. */
export const localGo: RuntimeProvider = {
  type: 'Go',
  create({ instance, fork, dataDir, library, packages, network }) {
    const trees = new GoTrees(dataDir);
    const own = { instance: `${instance}-go`, fork, library, packages: packages?.layers ?? null };
    const launchers = new Launchers(own, () => trees.get());
    return new LocalRuntime({
      type: localGo.type,
      toolchain: gc,
      guests: [...GUESTS, gc],
      environment: GO_ENVIRONMENT,
      launchers,
      layers: packages !== null,
      network,
      worthProbing: trees.compiled,
      want: () => trees.want(),
      async close() {
        trees.close();
        await launchers.close();
      },
    });
  },
};
