/** Stands in for `node:fs` on Deno, where it knows the standard streams by name; see standard-files.ts. */
import fs from 'node:fs';

// What is exported by name comes before what is exported with all the rest.
export * from 'node:fs';
export default fs;
export const {
  access,
  accessSync,
  appendFile,
  appendFileSync,
  createReadStream,
  createWriteStream,
  existsSync,
  open,
  openSync,
  readFile,
  readFileSync,
  stat,
  statSync,
  writeFile,
  writeFileSync,
} = fs;
