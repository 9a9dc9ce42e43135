/** Stands in for `node:fs/promises`; see deno-fs.ts. */
import { promises } from 'node:fs';

export * from 'node:fs/promises';
export default promises;
export const { access, appendFile, open, readFile, stat, writeFile } = promises;
