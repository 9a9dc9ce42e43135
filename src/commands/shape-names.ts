/** A command's name in names of shapes: `write_file` is `WriteFile`. */
export function shapeName(type: string): string {
  return type.replace(/(?:^|_)(.)/g, (_, letter: string) => letter.toUpperCase());
}

/** How a union's shapes are told apart by `type`, as OpenAPI says it; the names of the shapes end alike. */
export function byType(types: readonly string[], ending: 'Command' | 'Reply') {
  const mapping = types.map(type => [type, `#/components/schemas/${shapeName(type)}${ending}`]);
  return { propertyName: 'type', mapping: Object.fromEntries(mapping) as Record<string, string> };
}
