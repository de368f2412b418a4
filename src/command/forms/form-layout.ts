/** The arrangement of the options in the form of a command. */
export interface FormLayout {
  /** The title of the form, at most 24 characters (Slack's limit). */
  readonly title?: string;
  /** The label of the button that sends the form, at most 24 characters. */
  readonly submit?: string;
  /**
   * The option on which the choices of other options depend. On a platform whose open forms cannot change, the person
   * picks this option's value from a menu before the form opens.
   */
  readonly pick?: string;
  /** The options that the form shows when it opens. */
  readonly first: readonly string[];
  /**
   * The options that the form shows after a press of "More options", in groups. The key is the heading of the group. A
   * group has at most five options.
   */
  readonly more?: Readonly<Record<string, readonly string[]>>;
}
