/** Name of an epoch, with that of its phase where a training has several. */
export const epochTitle = ({
  epoch,
  phase,
}: {
  readonly epoch: number;
  readonly phase?: string | undefined;
}): string => (phase === undefined ? `epoch ${epoch}` : `${phase}, epoch ${epoch}`);
