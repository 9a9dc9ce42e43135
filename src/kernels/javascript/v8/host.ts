import { denoHost } from './deno.ts';
import { nodeHost } from './node.ts';

/** The one that this process runs on. */
export const host = 'Deno' in globalThis ? denoHost() : nodeHost();
