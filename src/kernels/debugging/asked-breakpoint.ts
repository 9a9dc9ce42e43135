/** As the protocol asks for it, lines and columns from 0. */
export interface AskedBreakpoint {
  readonly line: number;
  readonly column: number;
  readonly condition?: string | undefined;
  readonly hitCondition?: string | undefined;
  readonly logMessage?: string | undefined;
}
