/** A small seeded generator (mulberry32), so that a failing run can be run again. */
export function seeded(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const between = (low, high) => low + Math.floor(next() * (high - low + 1));
  return { next, between, chance: (p) => next() < p, pick: (list) => list[between(0, list.length - 1)] };
}

/** Seeds to try: `SEED=17` for one, `SEEDS=1000` for many. */
export function seeds(count) {
  if (process.env.SEED) return [Number(process.env.SEED)];
  const first = Math.floor(Math.random() * 1e6);
  return Array.from({ length: Number(process.env.SEEDS ?? count) }, (_, at) => first + at);
}
