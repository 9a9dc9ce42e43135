/** An error's message for clients: of the host's paths only the last part shows. */
export function withoutPaths(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/(?<![\w.-])(?:\/[\w.@+-]+)+\/?/g, path => path.split('/').findLast(Boolean) ?? '');
}
