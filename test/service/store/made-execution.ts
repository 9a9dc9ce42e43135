import { Ledger } from '../../../src/service/admission/ledger.ts';
import { Execution } from '../../../src/service/executions/execution.ts';
import { StatusBoard } from '../../../src/service/status/status-board.ts';

/** A one-shot of nobody's that waits. */
export const madeExecution = (): Execution =>
  new Execution({
    owner: null,
    language: 'python',
    runtimeType: 'Python',
    replayBytes: 1000,
    logs: new Ledger({ perOwner: 1000, total: 1000 }),
    board: new StatusBoard([]),
  });
