import type { Http } from './http.ts';
import { Inbox, type RunEvent } from './inbox.ts';
import { Link } from './link.ts';
import type { ExecuteRequest, StatusResponse } from './wire.ts';

/**
 * Starts a program whose standard input stays open, over a connection of its own, which ends it when it is lost. Resolves when it has
 * begun to tell something. @throws the signal's reason, if that comes before
 */
export async function startInteractive(http: Http, request: ExecuteRequest, signal?: AbortSignal) {
  const inbox = new Inbox(true);
  const link = await Link.open(http, (method, params) =>
    inbox.push({ type: method.replace('execution.', ''), ...(params as object) } as RunEvent),
  );
  const leave = () => link.close();
  signal?.addEventListener('abort', leave, { once: true });
  if (signal?.aborted) leave();
  link
    .call<StatusResponse>('execution.run', { ...request, stream: true })
    .then(
      ({ executionId }) => {
        inbox.executionId ??= executionId;
        inbox.end();
      },
      error => inbox.end(error),
    )
    .finally(leave);
  await inbox.begun;
  // From now on the run itself is cancelled, and tells its end.
  signal?.removeEventListener('abort', leave);
  const { executionId } = inbox;
  if (executionId === undefined) {
    signal?.throwIfAborted();
    await inbox.ended;
  }
  const call = (method: string, params: object) => link.call(method, params);
  return { executionId: executionId!, inbox, call };
}
