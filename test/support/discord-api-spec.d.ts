/** Types for the vendor's zod schemas, which have no types. The local Discord checks requests with these schemas. */
declare module 'discord-api-spec/zod' {
  interface Schema {
    safeParse(value: unknown): { success: boolean; data?: unknown; error?: { message: string } };
  }
  export const MessageCreateRequestSchema: Schema;
  export const MessageEditRequestPartialSchema: Schema;
  export const UpdateThreadRequestPartialSchema: Schema;
  export const CreatePrivateChannelRequestSchema: Schema;
  export const MessageResponseSchema: Schema;
  export const IncomingWebhookUpdateRequestPartialSchema: Schema;
  export const IncomingWebhookRequestPartialSchema: Schema;
  export const CreateMessageInteractionCallbackRequestSchema: Schema;
  export const UpdateMessageInteractionCallbackRequestSchema: Schema;
  export const ApplicationCommandAutocompleteCallbackRequestSchema: Schema;
  export const ModalInteractionCallbackRequestSchema: Schema;
  export const ApplicationCommandCreateRequestSchema: Schema;
  export const ApplicationCommandUpdateRequestSchema: Schema;
  export const ApplicationCommandPatchRequestPartialSchema: Schema;
  export const ApplicationCommandResponseSchema: Schema;
}
