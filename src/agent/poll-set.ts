import { c } from './libc.ts';

const POLLIN = 1;
const POLLOUT = 4;
/** struct pollfd: int fd, short events, short revents. */
const ENTRY_BYTES = 8;

/** What to wait for in one turn of the loop, and what to do about it. */
export class PollSet {
  #entries = new Uint8Array(64 * ENTRY_BYTES);
  #view = new DataView(this.#entries.buffer);
  #actions: (() => void)[] = [];

  clear(): void {
    this.#actions = [];
  }

  readable(fd: number, action: () => void): void {
    this.#add(fd, POLLIN, action);
  }

  writable(fd: number, action: () => void): void {
    this.#add(fd, POLLOUT, action);
  }

  /** Sleeps until something can be done (or `timeoutMs` has passed; -1: for ever) and does it. */
  wait(timeoutMs: number): void {
    const count = this.#actions.length;
    const ready = c.poll(this.#entries, count, timeoutMs);
    for (let i = 0, left = ready; i < count && left > 0; i++) {
      if (this.#view.getInt16(i * ENTRY_BYTES + 6, true) === 0) continue;
      left--;
      this.#actions[i]!();
    }
  }

  #add(fd: number, events: number, action: () => void): void {
    const at = this.#actions.length * ENTRY_BYTES;
    if (at + ENTRY_BYTES > this.#view.byteLength) this.#grow();
    this.#view.setInt32(at, fd, true);
    this.#view.setInt16(at + 4, events, true);
    this.#view.setInt16(at + 6, 0, true);
    this.#actions.push(action);
  }

  #grow(): void {
    const larger = new Uint8Array(this.#entries.byteLength * 2);
    larger.set(this.#entries);
    this.#entries = larger;
    this.#view = new DataView(larger.buffer);
  }
}
