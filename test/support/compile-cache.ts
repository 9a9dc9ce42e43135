import { enableCompileCache } from 'node:module';
import { join } from 'node:path';

/** What Node compiles for one worker the next ones need not: nothing that tests start is told of it. */
enableCompileCache(join(import.meta.dirname, '../../node_modules/.cache/tests'));
