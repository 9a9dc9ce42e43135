import { isUnanswered } from './codebeaker-error.js';
import { pause } from './pause.js';
/** How a run stands. Where no answer comes, it is asked again for so many milliseconds. */
export async function runStatus(http, executionId, patience) {
    const deadline = Date.now() + patience;
    for (let tries = 0;; tries++) {
        try {
            return await http.json('GET', `/api/execution/${encodeURIComponent(executionId)}`);
        }
        catch (error) {
            if (!isUnanswered(error) || Date.now() >= deadline)
                throw error;
        }
        await pause(tries);
    }
}
