import type { Invocation, Person } from '../chat/port.ts';
import type { Answer } from './answer.ts';
import type { RawValues } from './argv.ts';
import { type Policy, refusal } from './authorise.ts';
import type { CheckContext, Context, Services } from './define.ts';
import type { Permission } from './permissions.ts';

/** Makes the contexts for a single invocation. A context is the argument of a command's `check` and `run`. */
export function createContexts(
  { id, at }: Invocation,
  { services, policy }: { readonly services: Services; readonly policy: Policy },
  answer: Answer,
) {
  /** The error which tells the person why the permission is missing. Undefined if the person has the permission. */
  const refusalOf = (person: Person, permission: Permission) =>
    refusal(policy, at.platform, person, permission);
  const forCheck = <Options>(
    { id, name }: Person,
    options: Options,
    given: RawValues = {},
  ): CheckContext<Options> => ({
    ...services,
    options,
    given,
    asker: { id, name, at },
  });
  return {
    lookup: { ...services, at },
    refusal: refusalOf,
    forCheck,
    forRun<Options>(person: Person, options: Options, given?: RawValues): Context<Options> {
      return {
        ...forCheck(person, options, given),
        invocationId: id,
        may: (permission) => refusalOf(person, permission) === undefined,
        respond: (message) => answer.respond(message),
        postCard: (message, under) => answer.postCard(message, under),
      };
    },
  };
}
