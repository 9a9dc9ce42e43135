/**
 * Starts the kernel of Deno from what lies beside, as strings of JSON: Deno looks through modules before it runs them, which takes
 * longer than all of its start.
 */
import { evaluated, type Wrapped } from './evaluated.ts';

// By names that stand here as they are, which takes no permission; Bun's bundler keeps the attributes of such imports alone.
const { default: kernel } = await import('./deno.json', { with: { type: 'json' } });
const { default: typescript } = await import('./typescript.json', { with: { type: 'json' } });
// biome-ignore lint/security/noGlobalEval: what is our own
const run = eval;
const evaluate = <T>(text: string) => evaluated<T>(run(text) as Wrapped);
evaluate<typeof import('./main-deno.ts')>(kernel).start(
  () => evaluate<typeof import('./typescript.ts')>(typescript).TypedParser,
  process.argv[2] ?? process.cwd(),
);
