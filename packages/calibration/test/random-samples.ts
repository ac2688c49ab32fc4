/** Numbers that look normal (sum of twelve uniforms, Irwin–Hall) from a seed. */
export const normals = (count: number, seed = 1): Float32Array => {
  let state = seed;
  const uniform = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return Float32Array.from({ length: count }, () => {
    let sum = -6;
    for (let i = 0; i < 12; i++) sum += uniform();
    return sum;
  });
};
