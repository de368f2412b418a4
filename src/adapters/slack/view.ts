import { z } from 'zod';
import type { FormValues } from '../../chat/form.ts';
import { Asked } from './answers.ts';

const Chosen = z.object({ value: z.string() }).nullish();
const State = z.object({
  values: z.record(
    z.string(),
    z.record(z.string(), z.object({ value: z.string().nullish(), selected_option: Chosen })),
  ),
});

/** What a modal holds, also while it is being filled in. */
export const View = z.object({
  id: z.string(),
  callback_id: z.string().default(''),
  private_metadata: z.string().default(''),
  state: State,
});
type View = z.infer<typeof View>;

/** Every input has a block of its own, under the name of its field. */
export function valuesOf({ state }: View): FormValues {
  const values: Record<string, string> = {};
  for (const [name, inputs] of Object.entries(state.values))
    for (const { value, selected_option } of Object.values(inputs)) {
      const given = value ?? selected_option?.value;
      if (given) values[name] = given;
    }
  return values;
}

/** Where the submission of a form is answered. Slack's own payload names no channel. */
const Place = Asked.omit({ id: true, user: true, receivedAt: true });

export function metadataOf(asked: Asked): string {
  return JSON.stringify(Place.parse(asked));
}

/** Undefined for a modal of another version of the bot, which wrote the place down in another way. */
export function placeOf({ private_metadata }: View): z.infer<typeof Place> | undefined {
  try {
    return Place.parse(JSON.parse(private_metadata));
  } catch {
    return undefined;
  }
}
