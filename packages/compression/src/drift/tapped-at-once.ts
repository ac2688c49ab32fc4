/** Values of a graph that are held at once: of large models they are tens of megabytes each. */
export const tappedAtOnce = 24;
