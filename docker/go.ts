import { fetchGo, findGo } from '../src/runtimes/local/go-release.ts';

/** Brings a current Go to a machine that has none: `npm run go`. */
try {
  const { root, version } = findGo() ?? (await fetchGo());
  console.log(`Go ${version} is in ${root}`);
} catch (error) {
  console.error(`Go could not be fetched: ${(error as Error).message}`);
  process.exitCode = 1;
}
