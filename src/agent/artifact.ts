import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * The agent: one static program, written in C, for what surrounds strangers' programs. Inside every sandbox it is process 1,
 * starts programs and touches files for the service (agent.c); beside the launcher it is the zygote that forks itself into
 * sandboxes (zygote.c). `npm run setup` compiles it. This file alone knows where it lies and how it is called.
 */
export const AGENT_FILE = fileURLToPath(new URL('build/agent', import.meta.url));

/** Why there is no agent to start, as a sentence and the command that mends it; null when there is one. */
export function agentMissing(): { reason: string; cure: string } | null {
  if (existsSync(AGENT_FILE)) return null;
  return { reason: 'the agent has not been compiled', cure: 'npm run setup' };
}

/** Arguments of the agent inside a sandbox. `silenceMs`: as long without a word of the service's is the service's end. */
export function agentArguments({ silenceMs }: { silenceMs?: number } = {}): string[] {
  return ['agent', ...(silenceMs === undefined ? [] : ['--silence', String(silenceMs)])];
}

/** Arguments of the zygote: the files that hold its plans (src/launcher/steps.ts) and the system call filter. */
export function zygoteArguments(files: { sandbox: string; template: string; filter: string }): string[] {
  return ['zygote', files.sandbox, files.template, files.filter];
}
