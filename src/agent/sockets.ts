import { AT_FDCWD, c, cstring, O, readSmall } from './libc.ts';

/** As many sockets can't hold more than {@link HELD_BYTES}, whatever they are; nor as many that nobody has accepted. */
const FEW = 128;
/** What sockets may hold that no control group is charged for. */
const HELD_BYTES = 32 * 1024 * 1024;
/** A TCP socket that nobody has accepted, without what it has received. */
const UNACCEPTED_BYTES = 4096;
/** Looking takes a third of the agent's time at most: as long as it took, twice, nothing is looked at. */
const PAUSE = 2;
/** More than the kernel gives at once of such a file. */
const READ_BYTES = 8 * 1024;

/**
 * Watches what the sockets of a sandbox hold that the kernel charges to nobody: connections which wait for being accepted
 * were made by its network stack and not by a program, and datagrams that are not complete, and reports of errors, belong
 * to a socket alone. All of the sandbox's sockets are seen, and no other's, in /proc/net (proc(5)).
 */
export class SocketWatch {
  readonly #buffer = new Uint8Array(READ_BYTES);
  #nextAt = 0;

  /** Whether they hold too much; looks at most every `period` milliseconds. */
  exceeds(period: number): boolean {
    const now = performance.now();
    if (now < this.#nextAt) return false;
    const used = Number(/^sockets: used (\d+)/.exec(readSmall('/proc/net/sockstat'))?.[1] ?? 0);
    const exceeded = used > FEW && this.#held() > HELD_BYTES;
    const done = performance.now();
    this.#nextAt = Math.max(now + period, done + (done - now) * PAUSE);
    return exceeded;
  }

  /** Bytes, at least; stops where it is too much already. */
  #held(): number {
    let held = this.#unaccepted() * UNACCEPTED_BYTES;
    if (held > HELD_BYTES) return held;
    const many = held > FEW * UNACCEPTED_BYTES;
    for (const name of ['udp', 'udp6', ...(many ? ['tcp', 'tcp6'] : [])]) {
      const ofLine = name.startsWith('tcp') ? ofConnection : ofDatagrams;
      for (const line of this.#lines(`/proc/net/${name}`)) {
        held += ofLine(line);
        if (held > HELD_BYTES) return held;
      }
    }
    return held;
  }

  /** Connections that wait to be accepted. Those that listen come first: no other is looked at, of which there may be many. */
  #unaccepted(): number {
    let count = 0;
    for (const name of ['tcp', 'tcp6']) {
      for (const line of this.#lines(`/proc/net/${name}`)) {
        const { state, queues } = columns(line);
        if (state === LISTENING) count += queues.received;
        else if (state !== HEADING) break;
      }
    }
    return count;
  }

  *#lines(path: string): Generator<string> {
    const fd = c.openat(AT_FDCWD, cstring(path), O.RDONLY | O.CLOEXEC, 0);
    if (fd < 0) return;
    try {
      let rest = '';
      while (true) {
        const got = Number(c.read(fd, this.#buffer, READ_BYTES));
        if (got <= 0) return;
        const lines = (rest + latin1(this.#buffer.subarray(0, got))).split('\n');
        rest = lines.pop() ?? '';
        yield* lines;
      }
    } finally {
      c.close(fd);
    }
  }
}

const decoder = new TextDecoder('latin1');
const latin1 = (bytes: Uint8Array) => decoder.decode(bytes);

/** LISTEN (include/net/tcp_states.h): its queue is one of connections. */
const LISTENING = '0A';
const HEADING = 'st';

/**
 * What no program has, or has any more, has no inode. What a program sent and closed is charged to it, but on version 1
 * not held to a limit.
 */
function ofConnection(line: string): number {
  const { queues, inode } = columns(line);
  return inode === '0' ? queues.sent + queues.received : 0;
}

function ofDatagrams(line: string): number {
  const { queues } = columns(line);
  return queues.sent + queues.received;
}

/** Number, two addresses, state, `tx_queue:rx_queue`, timer, retransmissions, uid, timeout, inode. */
function columns(line: string): {
  state: string;
  queues: { sent: number; received: number };
  inode: string;
} {
  const fields = line.trim().split(/\s+/);
  const [sent = '0', received = '0'] = (fields[4] ?? '').split(':');
  const bytes = (text: string) => Number.parseInt(text, 16) || 0;
  return {
    state: fields[3] ?? '',
    queues: { sent: bytes(sent), received: bytes(received) },
    inode: fields[9] ?? '',
  };
}
