/** Which options stand where in the form of a command. */
export interface FormLayout {
  /** The title of the form, at most 24 characters (Slack's limit). */
  readonly title?: string;
  /** The label of the button that sends the form, at most 24 characters. */
  readonly submit?: string;
  /**
   * The option on which the choices of other options depend. If a form cannot change while it is open, the person picks
   * the value from a menu before the form opens.
   */
  readonly pick?: string;
  /** The options that the form shows at first. */
  readonly first: readonly string[];
  /** The options behind the button for more, under the headings of their groups. A group has at most five options. */
  readonly more?: Readonly<Record<string, readonly string[]>>;
}
