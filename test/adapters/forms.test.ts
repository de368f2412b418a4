import { describe, expect, test } from 'vitest';
import { renderMessage as renderConsole } from '../../src/adapters/console/render.ts';
import { renderForm as discordForm } from '../../src/adapters/discord/form.ts';
import { payloadOf } from '../../src/adapters/discord/payload.ts';
import { renderMessage } from '../../src/adapters/discord/render.ts';
import { renderForm as slackForm, suggestedOptions } from '../../src/adapters/slack/form.ts';
import { render } from '../../src/adapters/slack/render.ts';
import type { Form, FormField } from '../../src/chat/form.ts';
import { checkModal } from '../support/discord-rules.ts';
import type { Modal } from '../support/discord-world.ts';
import { viewProblems } from '../support/slack-views.ts';

const long = 'A label that somebody wrote with a great many words in it. '.repeat(60);

function form(fields: readonly FormField[], more: Partial<Form> = {}): Form {
  const submit = { command: 'match', action: 'book', arg: '' };
  return { title: 'Book', submitLabel: 'Book', submit, fields, ...more };
}

function choice(count: number): FormField {
  const choices = Array.from({ length: count }, (_, index) => ({
    label: `${index} ${long}`,
    value: `v${index}`,
  }));
  return { kind: 'choice', name: 'mode', label: 'Mode', choices, initial: 'v1' };
}

const wordy = form(
  [
    {
      kind: 'text',
      lines: 'short',
      name: 'map',
      label: long,
      hint: long,
      maxLength: 9999,
      initial: 'harbour',
    },
    { kind: 'text', lines: 'paragraph', name: 'note', label: 'Note', suggestedAs: 'map' },
    choice(25),
  ],
  { title: long, submitLabel: long },
);

describe('a form with texts that are too long', () => {
  test('texts in a form are cut if they are too long for Discord', () => {
    expect(checkModal(discordForm(wordy) as Modal).title).toMatch(/^A label.*…$/);
  });

  test('texts in a form are cut if they are too long for Slack', () => {
    expect(viewProblems(JSON.stringify(slackForm(wordy, '{}')))).toEqual([]);
  });
});

test('the initial text of a form field is cut to the greatest length that the field accepts', () => {
  const text = { kind: 'text', lines: 'paragraph', name: 'note', label: 'Note', initial: long } as const;
  for (const field of [
    text,
    { ...text, maxLength: 50 },
    { ...text, maxLength: 9999, initial: long.repeat(2) },
  ]) {
    expect(checkModal(discordForm(form([field])) as Modal).components).toHaveLength(1);
    expect(viewProblems(JSON.stringify(slackForm(form([field]), '{}')))).toEqual([]);
  }
  // In a field with suggestions, Slack accepts only a choice, not text. A shortened value would name nothing that
  // exists.
  expect(viewProblems(JSON.stringify(slackForm(form([{ ...text, suggestedAs: 'map' }]), '{}')))).toEqual([]);
});

test('a form with more fields or choices than a platform allows throws an error', () => {
  const fields = Array.from({ length: 6 }, (_, index) => ({ ...choice(2), name: `f${index}` }));
  expect(() => discordForm(form(fields))).toThrow('6 fields');
  expect(viewProblems(JSON.stringify(slackForm(form(fields), '{}')))).toEqual([]);
  expect(() => discordForm(form([choice(26)]))).toThrow('26 choices');
  expect(() => slackForm(form([choice(101)]), '{}')).toThrow('100 choices');
});

test('if a choice in a form is too long, its label is cut, but a long value throws an error', () => {
  const menu = (length: number) => {
    const choices = [{ label: long, value: 'v'.repeat(length) }];
    const action = { command: 'match', action: 'referee', arg: '' };
    return {
      field: { kind: 'choice', name: 'mode', label: 'Mode', choices } as const,
      card: {
        kind: 'card',
        tone: 'neutral',
        title: ['Match'],
        nodes: [{ kind: 'select', placeholder: 'Who?', choices, action }],
      } as const,
    };
  };
  const fitting = menu(75);
  expect(checkModal(discordForm(form([fitting.field])) as Modal).components).toHaveLength(1);
  expect(viewProblems(JSON.stringify(slackForm(form([fitting.field]), '{}')))).toEqual([]);
  expect(JSON.stringify([renderMessage(fitting.card), render(fitting.card).blocks])).not.toContain(long);
  const { field, card } = menu(101);
  for (const shown of [() => discordForm(form([field])), () => renderMessage(card)])
    expect(shown).toThrow("A choice's value is longer than 100: vvv");
  for (const shown of [() => slackForm(form([field]), '{}'), () => render(card)])
    expect(shown).toThrow("A choice's value is longer than 75: vvv");
});

test('if the file of a picture is missing, the message shows a note instead of the picture', () => {
  const nodes = [{ kind: 'image', file: 'a.png', alt: 'Players: 3, then 9' }] as const;
  const card = { kind: 'card', tone: 'neutral', title: ['Match'], nodes } as const;
  const terminal = { color: false, columns: undefined, now: 0, timeZone: 'UTC' };
  const context = { ...terminal, numberOf: () => undefined, placeOf: () => '' };
  for (const shown of [payloadOf(card).body.components, render(card).blocks, renderConsole(card, context)])
    expect(JSON.stringify(shown).replaceAll('\\', '')).toContain('Picture a.png: Players: 3, then 9');
});

test('a menu without choices is left out of the card, because all platforms refuse an empty menu', () => {
  const action = { command: 'match', action: 'referee', arg: '' };
  const select = { kind: 'select', placeholder: 'Who?', choices: [], action } as const;
  const card = { kind: 'card', tone: 'neutral', title: ['Match'], nodes: [select] } as const;
  for (const shown of [renderMessage(card), render(card)]) {
    expect(JSON.stringify(shown)).toContain('Match');
    expect(JSON.stringify(shown)).not.toContain('referee');
  }
});

test('Slack gets at most 100 suggestions, and suggestions that are too long are left out', () => {
  const offered = suggestedOptions([
    ...['x'.repeat(76), ...Array.from({ length: 200 }, (_, index) => `map ${index}`)].map((value) => ({
      label: value,
      value,
    })),
  ]);
  expect(offered).toHaveLength(100);
  expect(offered[0]?.value).toBe('map 0');
});
