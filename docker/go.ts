import { buildDelve } from '../src/runtimes/local/delve-build.ts';
import { fetchGo, findGo } from '../src/runtimes/local/go-release.ts';

/** Brings a current Go to a machine that has none, and Go's debugger: `npm run go`. */
let missing = 'Go';
try {
  const go = findGo() ?? (await fetchGo());
  console.log(`Go ${go.version} is in ${go.root}`);
  missing = "Go's debugger";
  console.log(`Its debugger is in ${await buildDelve(go)}`);
} catch (error) {
  console.error(`${missing} could not be brought here: ${(error as Error).message}`);
  process.exitCode = 1;
}
