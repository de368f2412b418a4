import { z } from 'zod';
import type { FormValues } from '../../chat/form.ts';
import { SlackAsker } from './answer.ts';

const Input = z.object({
  value: z.string().nullish(),
  selected_option: z.object({ value: z.string() }).nullish(),
});

/** What a modal holds, also while it is being filled in. */
export const View = z.object({
  id: z.string(),
  callback_id: z.string(),
  private_metadata: z.string(),
  state: z.object({ values: z.record(z.string(), z.record(z.string(), Input)) }),
});
type View = z.infer<typeof View>;

/** Every input has a block of its own, under the name of its field. */
export function valuesOf({ state }: View): FormValues {
  const given = Object.entries(state.values).flatMap(([name, inputs]) =>
    Object.values(inputs).map((input) => [name, input.value ?? input.selected_option?.value]),
  );
  return Object.fromEntries(given.filter(([, value]) => value));
}

/** Where the submission of a form is answered. Slack's own payload names no channel. */
const Place = SlackAsker.omit({ id: true, user: true, receivedAt: true });

export function metadataOf(asked: SlackAsker): string {
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
