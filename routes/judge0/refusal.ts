/** A request that Judge0 would refuse, in the words its clients know. Answered by `{ error }`, and 400 unless it says otherwise. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;

  constructor(error: string, status = 400) {
    super(error);
    this.status = status;
  }
}

/** What is wrong with a submission: messages by its fields, as Judge0 answers them with 422. */
export type Problems = Record<string, string[]>;

export function addProblem(problems: Problems, field: string, problem: string): void {
  problems[field] = [...(problems[field] ?? []), problem];
}

/** A submission that can't be taken. */
export class Invalid extends Error {
  override readonly name = 'Invalid';
  readonly problems: Problems;

  constructor(problems: Problems) {
    super('The submission is invalid');
    this.problems = problems;
  }
}
