/** Waits before trying once more: longer each time, and never as long as others who lost the same server. */
export declare function pause(tries: number): Promise<void>;
