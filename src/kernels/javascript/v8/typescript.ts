/** What a program is given once it has a file of TypeScript, and a kernel once it has a cell that plain JavaScript is not. */
import { takeTypedParser } from '../syntax/parse.ts';
import { TypedParser } from '../syntax/typed-parser.ts';

takeTypedParser(() => TypedParser);

export { loadSource } from './load-source.ts';
export { TypedParser };
