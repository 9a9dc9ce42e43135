/** What lies beside the kernel of Bun until a cell is no plain JavaScript. */
export { TypedParser } from './syntax/typed-parser.ts';
