/** typescript.ts as it lies beside before-deno.ts in a sandbox. */
export { isTypeScript, loadTypeScript } from './load-typescript.ts';
