import { Type } from '@sinclair/typebox';
import { LIMITS } from './limits.ts';

const side = (of: string) =>
  Type.Integer({ minimum: 1, maximum: LIMITS.terminalSide, description: `${of} of characters` });

/** Fields of a terminal's size. */
export const terminalSize = { cols: side('Columns'), rows: side('Rows') };
