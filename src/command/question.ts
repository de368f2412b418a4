import type { Card } from '../chat/card.ts';
import { RefusedError } from '../errors.ts';

/**
 * A question to the person, before anything is done. If a check throws a Question, the card, with buttons for the answers,
 * becomes the private first response. `userMessage` is for a person to whom the card cannot be shown.
 */
export class Question extends RefusedError {
  readonly card: Card;

  constructor(code: string, userMessage: string, card: Card) {
    super(code, userMessage);
    this.card = card;
  }
}
