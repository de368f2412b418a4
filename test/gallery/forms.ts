import type { ActionRef, Message } from '../../src/chat/card.ts';
import type { Form } from '../../src/chat/form.ts';
import { type CatalogVersion, defaultCatalog, type SimulatedCatalog } from '../../src/simulator/catalog.ts';
import { type Booth, buttonsOf, openBooth, type Stand } from './booth.ts';
import { isForm, type Sample } from './sample.ts';

/** The usual applications, and one application with more versions than a menu can hold. */
const catalog: SimulatedCatalog = {
  ...defaultCatalog,
  applications: [
    ...defaultCatalog.applications,
    ...defaultCatalog.applications.slice(0, 1).map(({ versions: [version], ...application }) => ({
      ...application,
      name: 'nightly-build',
      versions: Array.from({ length: 40 }, (_, index) => ({
        ...(version as CatalogVersion),
        name: `build-${index + 1}`,
        is_active: true,
      })),
    })),
  ],
};

/** The forms of the commands in their important states. On Discord, some forms follow a private message. */
export async function formSamples(stand: Stand): Promise<Sample[]> {
  const booth = await openBooth(stand, {}, catalog);
  const samples: Sample[] = [];
  const show = (name: string, shown: Message | Form) => void samples.push({ group: 'form', name, shown });
  try {
    await booth.say('deploy kart-racing v1.3 --near Montreal --tag qa');
    await booth.say('deploy arena-shooter 2026.2 --near Paris --tag night');
    await booth.say('preset save qa kart-racing --tag qa');
    await booth.until(0);
    await showDeploy(booth, stand, show);
    for (const line of ['bulk-stop', 'tags add', 'metrics', 'preset save', 'preset delete', 'logs', 'stop'])
      show(line, await booth.ask(line));
  } finally {
    await booth.close();
  }
  return samples;
}

async function showDeploy(
  booth: Booth,
  { forms }: Stand,
  show: (name: string, shown: Message | Form) => void,
) {
  const first = await booth.ask('deploy');
  show('deploy: at first', first);
  show('deploy: the application is given', await booth.ask('deploy kart-racing --tag qa --for 2h'));
  show('deploy: many versions', await booth.ask('deploy nightly-build'));
  const part = await booth.open(forms.live ? moreOf(first) : buttonOf(first, 'Variables'));
  show('deploy: variables', part);
  const entries = { env: 'MODE=race', hidden: 'API_KEY=hunter-7' };
  const wrong = { ...entries, application: 'kart-racing', near: 'Montreal', cpu: '512' };
  show(
    'deploy: more is entered, or a mistake is made',
    await booth.submit(formOf(part), forms.live ? wrong : entries),
  );
  const again = await booth.open({ command: 'deploy', action: 'form', arg: forms.live ? '.all' : '.2' });
  show('deploy: resources', again);
}

function formOf(shown: Message | Form): Form {
  if (!isForm(shown)) throw new Error('A message answers in place of a form');
  return shown;
}

function moreOf(shown: Message | Form): ActionRef {
  const { more } = formOf(shown);
  if (!more) throw new Error('The form has no button for more');
  return more.action;
}

function buttonOf(shown: Message | Form, label: string): ActionRef {
  const button = isForm(shown) ? undefined : buttonsOf(shown).find((one) => one.label === label);
  if (!button || !('action' in button)) throw new Error(`There is no button ${label}`);
  return button.action;
}
