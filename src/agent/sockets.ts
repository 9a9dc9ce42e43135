import { AT_FDCWD, c, cstring, O, readSmall } from './libc.ts';

/** As many sockets can't hold more than {@link HELD_BYTES}, whatever they are. */
const FEW = 128;
/** What sockets may hold that no control group is charged for. */
const HELD_BYTES = 32 * 1024 * 1024;
/**
 * Connections that nobody has accepted: how many may hold that much, each filled to its buffer's first size (tcp_rmem), whose
 * sum is not asked for. That takes a look at all of a sandbox's connections, and a program makes more meanwhile than are read.
 */
const UNACCEPTED = { bySmallBuffer: 1024, byLargeBuffer: 256 } as const;
/** The largest first size that counts as small: src/launcher/plan.ts sets it where it can. */
const SMALL_BUFFER_BYTES = 16 * 1024;
/** What a socket holds that its program has closed, at least, beside what waits in it. */
const ORPHAN_BYTES = 4096;
/** Looking takes a third of the agent's time at most: as long as it took, twice, nothing is looked at. */
const PAUSE = 2;
/** Connections that their program has closed are looked for as seldom as that, in milliseconds, and for a seventh of the time. */
const ORPHANS = { period: 250, pause: 6 } as const;
/** While something happens; a program makes some 10 MB meanwhile. Milliseconds. */
const BUSY_MS = 20;
/** More than the kernel gives at once of such a file. */
const READ_BYTES = 8 * 1024;

/**
 * Watches what the sockets of a sandbox hold that the kernel charges to nobody: connections which wait for being accepted
 * were made by its network stack and not by a program, and reports of errors belong
 * to a socket alone. All of the sandbox's sockets are seen, and no other's, in /proc/net (proc(5)).
 *
 * It looks often after something has happened, and half as often each time that nothing has: sockets come and go, packets
 * pass, or a program runs.
 */
export class SocketWatch {
  readonly #buffer = new Uint8Array(READ_BYTES);
  #most: number | null = null;
  #nextAt = 0;
  #orphansAt = 0;
  #period = BUSY_MS;
  #seen = '';

  /** Something begins. */
  hasten(): void {
    this.#period = BUSY_MS;
    this.#nextAt = Math.min(this.#nextAt, performance.now() + BUSY_MS);
  }

  /** Milliseconds until the next look. */
  get pause(): number {
    return Math.max(0, Math.ceil(this.#nextAt - performance.now()));
  }

  /**
   * Whether they hold too much, if it is time to look.
   * @param slowest milliseconds between two looks while nothing happens
   * @param busy CPU time of the sandbox's programs, or anything else that changes as they run
   */
  exceeds(slowest: number, busy: () => number): boolean {
    const now = performance.now();
    if (now < this.#nextAt) return false;
    const sockets = readSmall('/proc/net/sockstat');
    const seen = `${busy()} ${ofNamespace(sockets)} ${readSmall('/proc/net/snmp')} ${readSmall('/proc/net/snmp6')}`;
    this.#period = seen === this.#seen ? Math.min(this.#period * 2, slowest) : BUSY_MS;
    this.#seen = seen;
    const exceeded = number(/^sockets: used (\d+)/, sockets) > FEW && this.#tooMuch(sockets);
    const done = performance.now();
    this.#nextAt = Math.max(now + this.#period, done + (done - now) * PAUSE);
    return exceeded;
  }

  #tooMuch(sockets: string): boolean {
    const tcp = number(/^TCP: inuse (\d+)/m, sockets);
    if (this.#unaccepted() > this.#mostUnaccepted()) return true;
    if (this.#datagrams() > HELD_BYTES) return true;
    const now = performance.now();
    if (tcp <= FEW || now < this.#orphansAt) return false;
    const exceeded = this.#orphans() > HELD_BYTES;
    const done = performance.now();
    this.#orphansAt = done + Math.max(ORPHANS.period, (done - now) * ORPHANS.pause);
    return exceeded;
  }

  #mostUnaccepted(): number {
    const first = number(/^\d+\s+(\d+)/, readSmall('/proc/sys/net/ipv4/tcp_rmem'));
    this.#most ??= first <= SMALL_BUFFER_BYTES ? UNACCEPTED.bySmallBuffer : UNACCEPTED.byLargeBuffer;
    return this.#most;
  }

  /** Connections that wait to be accepted. Those that listen come first: no other is looked at, of which there may be many. */
  #unaccepted(): number {
    let count = 0;
    for (const name of ['tcp', 'tcp6']) {
      for (const [, state, , received] of this.#matches(`/proc/net/${name}`)) {
        if (state !== LISTENING) break;
        count += Number.parseInt(received!, 16);
      }
    }
    return count;
  }

  /** Bytes; stops where it is too much already. */
  #datagrams(): number {
    return this.#sum(['udp', 'udp6'], (sent, received) => sent + received);
  }

  /**
   * What a program sent and closed is charged to it, but on version 1 not held to a limit: what no program has any more has no
   * inode.
   */
  #orphans(): number {
    return this.#sum(['tcp', 'tcp6'], (sent, received, inode) =>
      inode === '0' && sent + received > 0 ? ORPHAN_BYTES + sent + received : 0,
    );
  }

  #sum(names: readonly string[], bytes: (sent: number, received: number, inode: string) => number): number {
    let held = 0;
    for (const name of names) {
      for (const [, , sent, received, inode] of this.#matches(`/proc/net/${name}`)) {
        held += bytes(Number.parseInt(sent!, 16), Number.parseInt(received!, 16), inode!);
        if (held > HELD_BYTES) return held;
      }
    }
    return held;
  }

  /** State, what waits for being sent and received, and inode of each socket. */
  *#matches(path: string): Generator<RegExpMatchArray> {
    const fd = c.openat(AT_FDCWD, cstring(path), O.RDONLY | O.CLOEXEC, 0);
    if (fd < 0) return;
    try {
      let rest = '';
      while (true) {
        const got = Number(c.read(fd, this.#buffer, READ_BYTES));
        if (got <= 0) return;
        const text = rest + decoder.decode(this.#buffer.subarray(0, got));
        const whole = text.lastIndexOf('\n') + 1;
        rest = text.slice(whole);
        yield* text.slice(0, whole).matchAll(SOCKET);
      }
    } finally {
      c.close(fd);
    }
  }
}

const decoder = new TextDecoder('latin1');

/** State, `tx_queue:rx_queue`, timer, retransmissions, uid, timeout, inode. No address has eight digits on both sides. */
const SOCKET = / ([0-9A-F]{2}) ([0-9A-F]{8}):([0-9A-F]{8}) [0-9A-F]+:[0-9A-F]+ [0-9A-F]+ +\d+ +\d+ (\d+) /g;
/** LISTEN (include/net/tcp_states.h): its queue is one of connections. */
const LISTENING = '0A';

/** But for what the whole machine's sockets hold, the second half of a line. */
const ofNamespace = (sockets: string) => sockets.replace(/ (?:orphan|alloc|mem) \d+/g, '');

const number = (pattern: RegExp, text: string) => Number(pattern.exec(text)?.[1] ?? 0);
