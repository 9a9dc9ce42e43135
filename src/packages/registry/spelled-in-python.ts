/** A name as Python's index spells it (PEP 503). */
export function spelledInPython(name: string): string {
  return name.toLowerCase().replace(/[-_.]+/g, '-');
}
