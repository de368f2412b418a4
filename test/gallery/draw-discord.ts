import {
  type APIButtonComponent,
  type APIComponentInContainer,
  type APIMessageTopLevelComponent,
  type APIModalInteractionResponseCallbackData,
  type APIStringSelectComponent,
  type APITextInputComponent,
  ButtonStyle,
  ComponentType,
  TextInputStyle,
} from 'discord.js';
import type { CardFile } from '../../src/chat/card.ts';
import { discordText } from './discord-text.ts';
import { type Html, html, plain } from './html.ts';

type Component = APIMessageTopLevelComponent | APIComponentInContainer;

/** Draws a message like Discord's clients. Only the components that the bot uses are supported. */
export function drawDiscord(components: readonly Component[], files: readonly CardFile[]): Html {
  return html`<div class="message"><i class="avatar"></i><div class="content">
<header><b>edgegap</b> <i class="app">APP</i> <time>16:30</time></header>
${components.map((component) => draw(component, files))}</div></div>`;
}

function draw(component: Component, files: readonly CardFile[]): Html {
  switch (component.type) {
    case ComponentType.Container: {
      const { accent_color: colour, components } = component;
      const accent = colour == null ? '' : `border-left-color:#${colour.toString(16).padStart(6, '0')}`;
      const inner = components.map((one) => draw(one, files));
      return html`<div class="container" style="${plain(accent)}">${inner}</div>`;
    }
    case ComponentType.TextDisplay:
      return discordText(component.content);
    case ComponentType.Separator:
      return html`<hr>`;
    case ComponentType.MediaGallery:
      return html`${component.items.map(({ media, description }) => picture(media.url, description ?? '', files))}`;
    case ComponentType.File:
      return attachment(component.file.url, files);
    case ComponentType.ActionRow:
      return html`<div class="row">${component.components.map((one) => {
        if (one.type === ComponentType.Button) return button(one);
        if (one.type === ComponentType.StringSelect) return select(one);
        throw new Error(`The gallery cannot draw the component ${one.type}`);
      })}</div>`;
    default:
      throw new Error(`The gallery cannot draw the component ${component.type}`);
  }
}

const STYLES: Partial<Record<ButtonStyle, string>> = {
  [ButtonStyle.Primary]: 'primary',
  [ButtonStyle.Secondary]: 'secondary',
  [ButtonStyle.Danger]: 'danger',
  [ButtonStyle.Link]: 'link',
};

function button(one: APIButtonComponent): Html {
  const label = 'label' in one ? (one.label ?? '') : '';
  return html`<button class="${plain(STYLES[one.style] ?? '')}">${plain(label)}</button>`;
}

function select({ placeholder = 'Make a selection', options }: APIStringSelectComponent): Html {
  const chosen = options.find(({ default: isChosen }) => isChosen);
  const words = plain(chosen?.label ?? placeholder);
  return html`<div class="select ${plain(chosen ? '' : 'empty')}">${words}<i></i></div>`;
}

function fileOf(url: string, files: readonly CardFile[]): CardFile {
  const found = files.find(({ name }) => url === `attachment://${name}`);
  if (!found) throw new Error(`The message has no file ${url}`);
  return found;
}

function picture(url: string, alt: string, files: readonly CardFile[]): Html {
  const { type, bytes } = fileOf(url, files);
  const source = `data:${type};base64,${Buffer.from(bytes).toString('base64')}`;
  return html`<img src="${plain(source)}" alt="${plain(alt)}">`;
}

function attachment(url: string, files: readonly CardFile[]): Html {
  const { name, bytes } = fileOf(url, files);
  const size = `${(bytes.length / 1024).toFixed(1)} KB`;
  return html`<div class="file"><a>${plain(name)}</a><small>${plain(size)}</small></div>`;
}

/** Draws a form like Discord's clients, which choose the labels of the buttons themselves. */
export function drawDiscordForm(form: APIModalInteractionResponseCallbackData): Html {
  return html`<div class="modal"><h3>${plain(form.title)}</h3>${form.components.map((label) => {
    if (label.type !== ComponentType.Label)
      throw new Error(`The gallery cannot draw the field ${label.type}`);
    const { component, description = '' } = label;
    const star = 'required' in component && component.required ? ' *' : '';
    return html`<label>${plain(label.label + star)}</label>
${description !== '' && html`<small>${plain(description)}</small>`}${field(component)}`;
  })}<div class="row"><button class="secondary">Cancel</button><button class="primary">Submit</button></div></div>`;
}

function field(component: { readonly type: ComponentType }): Html {
  if (component.type === ComponentType.StringSelect) return select(component as APIStringSelectComponent);
  const { style, value, placeholder = '' } = component as APITextInputComponent;
  const look = `${style === TextInputStyle.Paragraph ? 'tall' : ''} ${value ? '' : 'empty'}`;
  return html`<div class="input ${plain(look)}">${plain(value || placeholder)}</div>`;
}
