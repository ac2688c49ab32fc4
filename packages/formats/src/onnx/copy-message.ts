import type { Message } from "@bufbuild/protobuf";

/**
 * A copy of one message with some fields changed; nested messages and lists that are not named are shared.
 *
 * Use it instead of `{ ...message }`: fields that are not set read as their default through the prototype, which a
 * spread loses.
 *
 * @param message any message; not changed
 * @param changes fields to set; an undefined value unsets the field
 * @example
 * ```ts
 * const renamed = copyMessage(node, { name: "encoder" });
 * ```
 */
export function copyMessage<M extends Message>(
  message: M,
  changes: { readonly [K in keyof M]?: M[K] | undefined } = {},
): M {
  const copy = Object.assign(Object.create(Object.getPrototypeOf(message)), message, changes) as M;
  for (const key of Object.keys(changes) as (keyof M)[]) {
    if (changes[key] === undefined) delete copy[key];
  }
  return copy;
}
