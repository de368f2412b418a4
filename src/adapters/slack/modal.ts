import { z } from 'zod';
import type { FormValues } from '../../chat/form.ts';
import { SlackAsker } from './answer.ts';

const Input = z.object({
  value: z.string().nullish(),
  selected_option: z.object({ value: z.string() }).nullish(),
});

/** The content of a modal, also while a person is filling in the modal. */
export const View = z.object({
  id: z.string(),
  callback_id: z.string(),
  private_metadata: z.string(),
  state: z.object({ values: z.record(z.string(), z.record(z.string(), Input)) }),
});
type View = z.infer<typeof View>;

/** Each input has a block of its own, under the name of its field. */
export function valuesOf({ state }: View): FormValues {
  const given = Object.entries(state.values).flatMap(([name, inputs]) =>
    Object.values(inputs).map((input) => [name, input.value ?? input.selected_option?.value]),
  );
  return Object.fromEntries(given.filter(([, value]) => value));
}

/** The place at which a submitted form is answered. Slack's own payload names no channel. */
const Place = SlackAsker.omit({ id: true, user: true, receivedAt: true });

export function metadataOf(asked: SlackAsker): string {
  return JSON.stringify(Place.parse(asked));
}

/** Undefined for a modal of another version of the bot, which may have written the place differently. */
export function placeOf({ private_metadata }: View): z.infer<typeof Place> | undefined {
  try {
    return Place.parse(JSON.parse(private_metadata));
  } catch {
    return undefined;
  }
}
