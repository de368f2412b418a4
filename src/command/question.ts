import type { Card } from '../chat/card.ts';
import { RefusedError } from '../errors.ts';

/**
 * Nothing is done before the person has answered. A check throws a Question, and the card, with buttons for the answers,
 * becomes the private first response. `userMessage` is for a person to whom the card cannot be shown.
 */
export class Question extends RefusedError {
  readonly card: Card;

  constructor(code: string, userMessage: string, card: Card) {
    super(code, userMessage);
    this.card = card;
  }
}
