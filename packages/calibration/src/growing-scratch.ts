/** Memory for a number of values at a time, made anew only where it has to grow; what was in it before is gone then. */
export const growingScratch = (): ((length: number) => Float32Array) => {
  let scratch = new Float32Array(1024);
  return (length) => {
    if (scratch.length < length) scratch = new Float32Array(2 ** Math.ceil(Math.log2(length)));
    return scratch;
  };
};
