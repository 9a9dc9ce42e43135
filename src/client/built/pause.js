const FIRST_MS = 50;
const LONGEST_MS = 2000;
/** Waits before trying once more: longer each time, and never as long as others who lost the same server. */
export function pause(tries) {
    const most = Math.min(FIRST_MS * 2 ** tries, LONGEST_MS);
    return new Promise(resolve => setTimeout(resolve, most * (0.5 + Math.random() / 2)));
}
