/**
 * Starts the kernel of Node.js from what lies beside. Told to `keep`, it writes down there what V8 has compiled when it ends.
 */
import { Bundles } from './bundles.ts';

const [, file = '', directory = process.cwd(), keep] = process.argv;
const bundles = new Bundles(file.slice(0, file.lastIndexOf('/')));
if (keep) process.on('exit', () => bundles.keep());
bundles.run<typeof import('./main-node.ts')>('node').start(bundles, directory);
