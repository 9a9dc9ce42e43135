import type { Door } from '../door.ts';
import { controlRoutes } from './control.ts';
import { daemonRoutes } from './daemon.ts';
import { fileRoutes } from './files.ts';
import { interpreterRoutes } from './interpreter.ts';
import { Sandboxes } from './sandboxes.ts';
import { Streams } from './streams.ts';

/**
 * The door for clients of E2B (https://github.com/e2b-dev/E2B): sandboxes are sessions whose files are at /home/user. One URL serves
 * all of theirs: the control plane (spec/openapi.yml there), the daemon of a sandbox (spec/envd) and its code interpreter, which their
 * paths tell apart.
 */
export const e2b: Door = {
  name: 'e2b',
  async open(app, { service, admit }) {
    const sandboxes = new Sandboxes(service);
    const parts = { service, sandboxes, admit, streams: new Streams() };
    await app.register(
      async scope => {
        controlRoutes(scope, service, sandboxes);
        await scope.register(async inner => daemonRoutes(inner, parts));
        await scope.register(async inner => interpreterRoutes(inner, parts));
        await scope.register(async inner =>
          fileRoutes(inner, { service, sandboxes, admit, signedOnly: false }),
        );
      },
      { prefix: '/e2b' },
    );
    // Where clients look for what they have signed, whatever URL they were given.
    await app.register(async scope => fileRoutes(scope, { service, sandboxes, admit, signedOnly: true }));
  },
};
