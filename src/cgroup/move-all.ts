/** What still finds processes after so many looks is met by others that start them, and the next step says what is wrong. */
const LOOKS = 100;

/**
 * Moves all processes out of a control group: one may end before it is moved, and one may be forked after the group was
 * looked at. @throws what `move` does, unless the process is gone
 */
export function moveAll(look: () => readonly number[], move: (pid: number) => void): void {
  for (let looks = 0; looks < LOOKS; looks++) {
    const pids = look();
    if (pids.length === 0) return;
    for (const pid of pids) {
      try {
        move(pid);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    }
  }
}
