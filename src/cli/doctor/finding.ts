/** What a server needs of a machine, and whether it is there. */
export interface Finding {
  readonly name: string;
  readonly ok: boolean;
  /** Without it nothing runs; else what it is good for is missing alone. */
  readonly needed: boolean;
  /** A version, a place, or what is wrong. */
  readonly detail: string;
  /** What to type or set; null where nothing is known or wrong. */
  readonly cure: string | null;
}

type Said = Omit<Finding, 'name' | 'ok' | 'cure'>;

export const found = (name: string, detail: string, needed = true): Finding => ({
  name,
  ok: true,
  needed,
  detail,
  cure: null,
});

export const missing = (name: string, { detail, needed, cure }: Said & { cure: string | null }): Finding => ({
  name,
  ok: false,
  needed,
  detail,
  cure,
});
