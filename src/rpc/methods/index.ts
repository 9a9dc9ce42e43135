import type { Method } from '../method.ts';
import { cancelRequest } from './cancel-request.ts';
import { debugStart } from './debug-start.ts';
import { executionCancel } from './execution-cancel.ts';
import { executionRun } from './execution-run.ts';
import { executionRunCommands } from './execution-run-commands.ts';
import { executionStatus } from './execution-status.ts';
import { fsReadFile } from './fs-read-file.ts';
import { fsUnwatch } from './fs-unwatch.ts';
import { fsWatch } from './fs-watch.ts';
import { fsWriteFile } from './fs-write-file.ts';
import { initialize } from './initialize.ts';
import { languageList } from './language-list.ts';
import { ping } from './ping.ts';
import { processInput } from './process-input.ts';
import { processList } from './process-list.ts';
import { processResize } from './process-resize.ts';
import { processSignal } from './process-signal.ts';
import { rpcDiscover } from './rpc-discover.ts';
import { sessionAttach } from './session-attach.ts';
import { sessionClose } from './session-close.ts';
import { sessionCreate } from './session-create.ts';
import { sessionExecute } from './session-execute.ts';
import { sessionExpose } from './session-expose.ts';
import { sessionGet } from './session-get.ts';
import { sessionKeepAlive } from './session-keep-alive.ts';
import { sessionList } from './session-list.ts';
import { sessionPorts } from './session-ports.ts';
import { sessionUnexpose } from './session-unexpose.ts';
import { sessionUpdate } from './session-update.ts';

/** Every method of the JSON-RPC door. A line here registers it on every transport and in openapi/openrpc.json. */
export const methods: readonly Method[] = [
  initialize,
  executionRun,
  executionRunCommands,
  executionStatus,
  executionCancel,
  languageList,
  sessionCreate,
  sessionExecute,
  sessionGet,
  sessionList,
  sessionClose,
  sessionKeepAlive,
  sessionUpdate,
  sessionAttach,
  sessionExpose,
  sessionUnexpose,
  sessionPorts,
  processList,
  processInput,
  processResize,
  processSignal,
  fsWriteFile,
  fsReadFile,
  fsWatch,
  fsUnwatch,
  debugStart,
  ping,
  rpcDiscover,
  cancelRequest,
];
