/** Text of at most so many characters, and how many more there were. */
export function cut(whole: string, most: number): string {
  if (whole.length <= most) return whole;
  return `${whole.slice(0, most)}… ${whole.length - most} characters left out`;
}
