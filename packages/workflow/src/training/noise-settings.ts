/** The noise that is asked for by its share alone; its kinds are those of `defaultNoise`. */
export function noiseSettings({ noise }: { readonly noise?: number }): {
  readonly noise?: { readonly share: number };
} {
  return noise === undefined ? {} : { noise: { share: noise } };
}
