import type { Invocation, Person } from '../chat/port.ts';
import type { Answer } from './answer.ts';
import { type Policy, refusal } from './authorise.ts';
import type { CheckContext, Context, Services } from './define.ts';
import type { Lookup } from './kinds/kind.ts';
import type { Permission } from './permissions.ts';

/** Makes what the code of a command or action gets, for one invocation. */
export class Contexts {
  readonly #invocation: Invocation;
  readonly #policy: Policy;
  readonly #services: Services;
  readonly #answer: Answer;

  constructor(
    invocation: Invocation,
    { services, policy }: { readonly services: Services; readonly policy: Policy },
    answer: Answer,
  ) {
    this.#invocation = invocation;
    this.#services = services;
    this.#policy = policy;
    this.#answer = answer;
  }

  get prompt(): string {
    return this.#invocation.prompt ?? '';
  }

  get lookup(): Lookup {
    return { ...this.#services, at: this.#invocation.at };
  }

  forCheck<Options>(options: Options): CheckContext<Options> {
    return { ...this.#services, prompt: this.prompt, options };
  }

  forRun<Options>(person: Person, options: Options): Context<Options> {
    const { id, at } = this.#invocation;
    return {
      ...this.forCheck(options),
      asker: { id: person.id, name: person.name, at },
      invocationId: id,
      may: (permission) => this.refusal(person, permission) === undefined,
      respond: (message) => this.#answer.respond(message),
      postCard: (message) => this.#answer.postCard(message),
    };
  }

  /** Why the person may not do that here; undefined where they may. */
  refusal(person: Person, permission: Permission) {
    return refusal(this.#policy, this.#invocation.at.platform, person, permission);
  }
}
