import type { Node } from '../../src/chat/card.ts';
import type { Form } from '../../src/chat/form.ts';
import { commandSamples, limitSamples } from './commands.ts';
import { deploymentSamples, liveSamples, plannedStopSamples } from './deployments.ts';
import { doctorSamples } from './doctor.ts';
import { formSamples } from './forms.ts';
import { isForm, type Sample } from './sample.ts';

/** The ids of the person in the samples, for Discord and Slack. */
export const STANDS = {
  discord: {
    personId: '190000000000000001',
    prompt: '/',
    forms: { fields: 5, choices: 25, value: 100, text: 4000, live: false },
  },
  slack: {
    personId: 'U0ANN',
    prompt: '/edgegap ',
    forms: { fields: 50, choices: 100, value: 75, text: 3000, live: true },
  },
} as const;

export type Platform = keyof typeof STANDS;
export const PLATFORMS = ['discord', 'slack'] as const;

/** Every card, line and form in every state on one platform. The order is always the same. */
export async function samplesFor(platform: Platform): Promise<Sample[]> {
  const stand = STANDS[platform];
  return [
    ...deploymentSamples(stand.personId),
    ...plannedStopSamples(stand.personId),
    ...liveSamples(stand.personId),
    ...(await commandSamples(stand)),
    ...(await limitSamples(stand)),
    ...doctorSamples,
    { group: 'form', name: 'every kind of field', shown: FORM },
    ...(await formSamples(stand)),
  ].map(withoutChance);
}

/** A form with every type of field that a command can use. */
const FORM: Form = {
  title: 'Deploy kart-racing',
  submitLabel: 'Deploy',
  submit: { command: 'deploy', action: 'form', arg: '' },
  fields: [
    {
      kind: 'choice',
      name: 'version',
      label: 'Version',
      placeholder: 'The newest active version',
      required: true,
      choices: [
        { label: 'v1.3', detail: '31 % cached', value: 'v1.3' },
        { label: 'v1.2', detail: '86 % cached', value: 'v1.2' },
      ],
      initial: 'v1.3',
    },
    {
      kind: 'text',
      name: 'near',
      label: 'City',
      lines: 'short',
      required: true,
      placeholder: 'Montreal, or 45.50,-73.57',
    },
    {
      kind: 'text',
      name: 'env',
      label: 'Variables',
      placeholder: 'MODE=race',
      hint: 'One variable on each line',
      lines: 'paragraph',
    },
  ],
};

/**
 * Replaces the reference of an error and the milliseconds of a log, which differ in every run. The pictures need the
 * same text in every run.
 */
function withoutChance(sample: Sample): Sample {
  const { shown } = sample;
  if (isForm(shown) || shown.kind !== 'card') return sample;
  return { ...sample, shown: { ...shown, nodes: shown.nodes.map(steady) } };
}

function steady(node: Node): Node {
  if (node.kind === 'code') return { ...node, text: node.text.replace(/\.\d{3}Z/g, '.000Z') };
  const isReference = node.kind === 'note' && /^Reference /.test(String(node.text[0]));
  return isReference ? { ...node, text: ['Reference 4f2a9c1e'] } : node;
}
