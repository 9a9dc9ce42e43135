import { type CallToolResult, ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/server';
import { ServiceError } from '../../src/errors.ts';
import { answerFits } from '../../src/schemas/answer-fits.ts';
import { LIMITS } from '../../src/schemas/limits.ts';
import { validator } from '../../src/schemas/validate.ts';
import type { Exchange } from './exchange.ts';
import { tools } from './tools/index.ts';
import { type ToolAnswer, type ToolUse, text } from './tools/tool.ts';

const byName = new Map(tools.map(tool => [tool.name, { tool, validate: validator(tool.input) }] as const));

/**
 * Calls a tool. What it refuses is an answer that says so, for the model to read and do better.
 * @throws {ProtocolError} for a tool that is not there, and for what went wrong here
 */
export async function callTool(
  { name, arguments: args = {} }: { name: string; arguments?: unknown },
  use: ToolUse,
  exchange: Exchange,
): Promise<CallToolResult> {
  const known = byName.get(name);
  if (!known) throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Unknown tool: ${name}`);
  try {
    return encode(await known.tool.run(known.validate(args), use), exchange);
  } catch (error) {
    if (error instanceof ServiceError && error.code !== 'INTERNAL_ERROR') return refusal(error);
    exchange.call.log.error({ err: error, tool: name }, 'a tool failed');
    throw new ProtocolError(ProtocolErrorCode.InternalError, 'Internal error');
  }
}

/** @throws {ServiceError} PAYLOAD_TOO_LARGE */
function encode({ content, structured, failed }: ToolAnswer<unknown>, { room }: Exchange): CallToolResult {
  const result = {
    content,
    ...(structured !== undefined && { structuredContent: structured as Record<string, unknown> }),
    ...(failed && { isError: true }),
  };
  if (!answerFits(result, Math.min(LIMITS.messageBytes, room.left)))
    throw new ServiceError(
      'PAYLOAD_TOO_LARGE',
      `More than ${LIMITS.messageBytes} bytes, or too much is on its way already: it ran, but ask for less at once, such as a part of a file`,
    );
  room.take(Buffer.byteLength(JSON.stringify(result)));
  return result;
}

function refusal({ code, message, details }: ServiceError): CallToolResult {
  const words = details === undefined ? message : `${message} (${details})`;
  return { content: [text(`${code}: ${words}`)], isError: true };
}
