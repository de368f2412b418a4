import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { drawDiscord, drawDiscordForm } from './draw-discord.ts';
import { drawSlack, drawSlackForm } from './draw-slack.ts';
import { type Html, html, plain } from './html.ts';
import { discordPayload, filesOf, slackPayload } from './payloads.ts';
import type { Sample } from './sample.ts';
import { PLATFORMS, type Platform, samplesFor } from './samples.ts';

const { resolve } = createRequire(import.meta.url);
const FONTS: readonly [family: string, weight: number, file: string][] = [
  ['Gallery Sans', 400, '@fontsource/inter/files/inter-latin-400-normal.woff2'],
  ['Gallery Sans', 700, '@fontsource/inter/files/inter-latin-700-normal.woff2'],
  ['Gallery Mono', 400, '@fontsource/jetbrains-mono/files/jetbrains-mono-latin-400-normal.woff2'],
];

/**
 * The script of the page. It contains the two buttons, and the function with which the screenshots choose the theme,
 * the width and the samples.
 */
const SCRIPT = `for (const [id, names] of [['theme', ['light', 'dark']], ['width', ['desktop', 'phone']]])
  document.getElementById(id).addEventListener('click', () =>
    names.forEach((name) => document.documentElement.classList.toggle(name)));
function show({ id, theme, width, samples }) {
  document.documentElement.className = theme + ' ' + width;
  for (const section of document.querySelectorAll('section')) section.hidden = section.id !== id;
  for (const article of document.getElementById(id).querySelectorAll('article'))
    article.hidden = !samples.includes(article.querySelector('h4').textContent);
  return document.fonts.ready.then(() => undefined);
}`;

type SampleOf = Readonly<Record<Platform, Sample>>;

/** A self-contained HTML page with every sample on both platforms and its payloads. */
export async function galleryPage(): Promise<string> {
  const [discord, slack] = await Promise.all(PLATFORMS.map(samplesFor));
  const pairs = (discord ?? []).map((sample, i): SampleOf => {
    const other = slack?.[i];
    if (other?.name !== sample.name) throw new Error(`Slack has no sample ${sample.name}`);
    return { discord: sample, slack: other };
  });
  const groups = Map.groupBy(pairs, (pair) => pair.discord.group);
  const css = ['page', ...PLATFORMS].map((name) =>
    readFileSync(join(import.meta.dirname, `${name}.css`), 'utf8'),
  );
  return `<!doctype html>
<html lang="en" class="light desktop"><meta charset="utf-8"><title>Gallery of the bot’s messages</title>
<style>${[...FONTS.map(fontFace), ...css].join('\n')}</style>
<nav>${html`${[...groups.keys()].map((name) => html`<a href="#${plain(idOf(name))}">${plain(name)}</a>`)}`}
<span><button id="theme">Light or dark</button><button id="width">Desktop or phone</button></span></nav>
${[...groups].map(([name, members]) => section(name, members)).join('\n')}
<script>${SCRIPT}</script></html>\n`;
}

/** The id of the section for a group of samples. */
export function idOf(group: string): string {
  return group.replaceAll(' ', '-');
}

function section(name: string, pairs: readonly SampleOf[]): Html {
  return html`<section id="${plain(idOf(name))}"><h2>${plain(name)}</h2>${pairs.map(
    ({ discord, slack }) => html`<article><h4>${plain(discord.name)}</h4>
<figure class="discord">${onDiscord(discord)}</figure><figure class="slack">${onSlack(slack)}</figure>
<details><summary>Payloads</summary><div>${[discordPayload(discord), slackPayload(slack)].map(
      (payload) => html`<pre>${plain(JSON.stringify(payload, undefined, 2))}</pre>`,
    )}</div></details></article>`,
  )}</section>`;
}

function onDiscord(sample: Sample): Html {
  const payload = discordPayload(sample);
  return 'flags' in payload ? drawDiscord(payload.components, filesOf(sample)) : drawDiscordForm(payload);
}

function onSlack(sample: Sample): Html {
  const payload = slackPayload(sample);
  return 'text' in payload ? drawSlack(payload.blocks, filesOf(sample)) : drawSlackForm(payload);
}

function fontFace([family, weight, file]: (typeof FONTS)[number]): string {
  const source = `data:font/woff2;base64,${readFileSync(resolve(file)).toString('base64')}`;
  return `@font-face { font-family: '${family}'; font-weight: ${weight}; src: url(${source}); }`;
}
