import { Refusal } from './refusals.ts';

/** What their templates are here. Both have Python, JavaScript and what else every local sandbox has. */
const TEMPLATES: Readonly<Record<string, { readonly language: string }>> = {
  base: { language: 'python' },
  'code-interpreter-v1': { language: 'python' },
};

/** @throws {Refusal} 404 */
export function templateNamed(name: string): { readonly language: string } {
  const template = Object.hasOwn(TEMPLATES, name) ? TEMPLATES[name] : undefined;
  if (template) return template;
  const known = Object.keys(TEMPLATES).join(', ');
  throw new Refusal(404, `template ${JSON.stringify(name)} not found: this server has ${known}`);
}
