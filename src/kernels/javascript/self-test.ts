import type { CellRequest } from '../protocol.ts';

/** Exit code of a kernel that finds itself broken: EX_SOFTWARE of sysexits.h. */
export const BROKEN = 70;

/** What a self-test results in. */
export const FINE = '{"text/plain":"42"}';

/**
 * A cell whose value is 42. A kernel runs it after a cell that failed: the failure may be its own, since a program can
 * patch what the kernel stands on. One that gets another value ends; the service starts the next and says so.
 */
export function selfTest(typescript: boolean): CellRequest {
  const code = typescript ? '(() => { enum A { B = 42 } return A.B })()' : '(() => 42)()';
  return { cell: 0, code, stdin: '/dev/null', typescript };
}
