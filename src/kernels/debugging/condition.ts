import type { AskedBreakpoint } from './asked-breakpoint.ts';
import type { When } from './inspector.ts';

/** Where a program's own engine counts: what stops to be counted would end the step that it is in. */
const HITS = `(globalThis[Symbol.for('codebeaker.hits')] ??= {})`;
const HIT_CONDITION = /^\s*(==|>=|<=|>|<|%)?\s*(\d{1,9})\s*$/;

/** A breakpoint's condition, then how often that was so, as one expression; and what it logs as another. */
export function whenOf(id: number, { condition, hitCondition, logMessage }: AskedBreakpoint): When {
  const parts: string[] = [];
  // On lines of their own, for one that ends in a comment.
  if (condition) parts.push(`(\n${condition}\n)`);
  if (hitCondition) parts.push(hits(id, hitCondition));
  return {
    condition: parts.length > 0 ? parts.join(' && ') : undefined,
    log: logMessage ? templateOf(logMessage) : undefined,
  };
}

/** A number alone is the first hit to stop at and all after it. */
function hits(id: number, hitCondition: string): string {
  const [, operator = '>=', number] = HIT_CONDITION.exec(hitCondition) ?? [];
  if (number === undefined) return 'true';
  const count = `(${HITS}[${id}] = (${HITS}[${id}] ?? 0) + 1)`;
  return operator === '%' ? `${count} % ${number} === 0` : `${count} ${operator} ${number}`;
}

/** Text with expressions in braces, of which one that throws says so. */
function templateOf(message: string): string {
  const parts = message.split(/\{([^{}]*)\}/).map((part, i) => {
    if (i % 2 === 0) return JSON.stringify(part);
    return `(() => { try { return String(\n${part}\n) } catch (error) { return String(error) } })()`;
  });
  return parts.join(' + ');
}
