import type { Http } from './http.ts';
import type { StatusResponse } from './wire.ts';
/** How a run stands. Where no answer comes, it is asked again for so many milliseconds. */
export declare function runStatus(http: Http, executionId: string, patience: number): Promise<StatusResponse>;
