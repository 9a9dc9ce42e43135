import { isUnanswered } from './codebeaker-error.ts';
import type { Http } from './http.ts';
import { pause } from './pause.ts';
import type { StatusResponse } from './wire.ts';

/** How a run stands. Where no answer comes, it is asked again for so many milliseconds. */
export async function runStatus(http: Http, executionId: string, patience: number): Promise<StatusResponse> {
  const deadline = Date.now() + patience;
  for (let tries = 0; ; tries++) {
    try {
      return await http.json<StatusResponse>('GET', `/api/execution/${encodeURIComponent(executionId)}`);
    } catch (error) {
      if (!isUnanswered(error) || Date.now() >= deadline) throw error;
    }
    await pause(tries);
  }
}
