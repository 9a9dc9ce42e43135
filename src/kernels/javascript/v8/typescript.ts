/** What is read beside before-node.ts and before-deno.ts once a program has a file of TypeScript. */
import { takeTypedParser } from '../syntax/parse.ts';
import { TypedParser } from '../syntax/typed-parser.ts';

takeTypedParser(() => TypedParser);

export { isTypeScript, loadTypeScript } from './load-typescript.ts';
