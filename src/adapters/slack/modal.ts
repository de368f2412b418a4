import { z } from 'zod';
import type { FormValues } from '../../chat/form.ts';
import { SlackAsker } from './answer.ts';
import { CHANNEL } from './form.ts';

const Input = z.object({
  value: z.string().nullish(),
  selected_option: z.object({ value: z.string() }).nullish(),
  selected_conversation: z.string().nullish(),
  selected_options: z.array(z.object({ value: z.string() })).nullish(),
});

/** The content of a modal, either after the person has submitted the modal or while the person is filling it in. */
export const View = z.object({
  id: z.string(),
  callback_id: z.string(),
  private_metadata: z.string(),
  state: z.object({ values: z.record(z.string(), z.record(z.string(), Input)) }),
});
type View = z.infer<typeof View>;

/**
 * Reads the values of the fields. Each field has a block of its own, and the block's id is the name of the field. If
 * the person picked several values, the result contains each value on a line of its own.
 */
export function valuesOf({ state }: View): FormValues {
  const given = Object.entries(state.values).flatMap(([name, inputs]) =>
    Object.values(inputs).map(({ value, selected_option, selected_options }) => [
      name,
      value ?? selected_option?.value ?? selected_options?.map((one) => one.value).join('\n'),
    ]),
  );
  return Object.fromEntries(given.filter(([, value]) => value));
}

/** The channel that the person chose for the answer. Undefined if the form does not ask for a channel. */
export function channelOf({ state }: View): string | undefined {
  return state.values[CHANNEL]?.[CHANNEL]?.selected_conversation ?? undefined;
}

/**
 * The channel or thread for the answer to a submitted form. Slack does not name a channel when a person submits a form,
 * so the bot stores the channel in the modal's `private_metadata`.
 */
const Place = SlackAsker.omit({ id: true, user: true, receivedAt: true });

export function metadataOf(asked: SlackAsker): string {
  return JSON.stringify(Place.parse(asked));
}

/**
 * Reads the channel or thread from a modal. Undefined if the modal comes from a version of the bot that uses a
 * different format.
 */
export function placeOf({
  private_metadata,
}: Pick<View, 'private_metadata'>): z.infer<typeof Place> | undefined {
  try {
    return Place.parse(JSON.parse(private_metadata));
  } catch {
    return undefined;
  }
}
