import type { Question } from '../chat/port.ts';
import { type Policy, refusal } from './authorise.ts';
import { leastPermission, type Services } from './define.ts';

/** What the definition of the option offers; nothing to a person who may not use the command. */
export async function suggestions(
  { person, ...question }: Question,
  { services, policy }: { readonly services: Services; readonly policy: Policy },
): Promise<readonly string[]> {
  const command = services.directory.get(question.command);
  const { options = {} } = command ?? {};
  const option = Object.hasOwn(options, question.option) ? options[question.option] : undefined;
  if (!command || !option?.suggest) return [];
  if (refusal(policy, question.at.platform, await person('cached'), leastPermission(command))) return [];
  const { catalog, deployments } = services;
  return await option.suggest({ ...question, catalog, deployments });
}
