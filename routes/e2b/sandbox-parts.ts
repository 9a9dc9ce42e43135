import type { Admit } from '../../plugins/rate-limit.ts';
import type { Service } from '../../src/service/service.ts';
import type { Sandboxes } from './sandboxes.ts';
import type { Streams } from './streams.ts';

/** What calls to sandboxes are served with. */
export interface SandboxParts {
  readonly service: Service;
  readonly sandboxes: Sandboxes;
  readonly admit: Admit | undefined;
  /** Of all of them. */
  readonly streams: Streams;
}
