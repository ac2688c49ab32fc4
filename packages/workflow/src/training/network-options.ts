/** Options that mean something to a `bilstm` or `cnn` alone, by their flags. */
export const networkOptions = {
  noise: "--noise",
  vectors: "--vectors",
  vectorWords: "--vector-words",
  pretrain: "--pretrain",
  pretrainEpochs: "--pretrain-epochs",
} as const;

/** The flag of the first of them that is given. */
export function networkOptionOf(
  settings: { readonly [K in keyof typeof networkOptions]?: unknown },
): string | undefined {
  for (const [name, flag] of Object.entries(networkOptions))
    if (settings[name as keyof typeof networkOptions] !== undefined) return flag;
  return undefined;
}
