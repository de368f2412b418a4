import type { types } from '@slack/bolt';
import type { Form } from '../../chat/form.ts';
import { type Clock, within } from '../../clock.ts';
import type { SlackApi } from './api.ts';
import { toDeliveryError } from './errors.ts';
import { renderNotice } from './form.ts';
import type { FormPlace } from './invocation.ts';

/**
 * How long the bot waits for the fields of a new form, in milliseconds. After this time, the bot opens an empty modal,
 * because a trigger is valid for only three seconds (views.open).
 */
const SKELETON_MS = 1_000;

const SKELETON = renderNotice('One moment…', 'I am getting the form ready.');
const FAILED = renderNotice('No form', 'I could not get the form ready. My message in the channel says why.');

/**
 * Shows a form in a modal. If the form is not ready in time, opens an empty modal first, and adds the fields later.
 * Throws DeliveryError, or the error with which `form` rejects.
 */
export async function openForm(
  place: FormPlace,
  form: Promise<Form>,
  parts: { readonly api: SlackApi; readonly clock: Clock; readonly render: (form: Form) => types.ModalView },
): Promise<void> {
  const { api, clock, render } = parts;
  const { views } = api.write;
  if ('view' in place) return await update(place.view, render(await form));
  const inTime = await within(clock, SKELETON_MS, form);
  if (inTime) return void (await open(place.trigger, render(inTime)));
  const view_id = await open(place.trigger, SKELETON);
  try {
    await update(view_id, render(await form));
  } catch (error) {
    // Tells the person in the empty modal that the fields will not appear. The bot's answer in the channel explains the
    // error.
    await update(view_id, FAILED).catch(() => undefined);
    throw error;
  }

  async function open(trigger_id: string, view: types.ModalView): Promise<string> {
    const opened = await views.open({ trigger_id, view }).catch(asDeliveryError);
    return opened.view?.id ?? '';
  }

  async function update(view_id: string, view: types.ModalView): Promise<void> {
    await views.update({ view_id, view }).catch(asDeliveryError);
  }
}

function asDeliveryError(error: unknown): never {
  throw toDeliveryError(error);
}
