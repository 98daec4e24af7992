// The readable weights of rendering/dialogue/turns/weights/turns.json: a softmax over sums, each feature once as it is
// and once faded with the length of the pause. The same as rendering/dialogue/turns/model.py.

const RELEASE = 1;

// Returns judge(features by name) -> shares of [over, on within 200, 400, 600 ms, on later].
export function createModel(content) {
  if (content?.release !== RELEASE) throw new Error("The turn model is of another release.");
  const rows = Object.entries(content.features);
  return function judge(features) {
    const sums = [...content.bias];
    for (const [name, { middle, spread, steady, faded }] of rows) {
      const step = ((features[name] ?? 0) - middle) / spread;
      for (let k = 0; k < sums.length; k++) sums[k] += step * (steady[k] + faded[k] * features.short_pause);
    }
    const most = Math.max(...sums);
    const raised = sums.map((sum) => Math.exp(sum - most));
    const total = raised.reduce((sum, value) => sum + value, 0);
    return raised.map((value) => value / total);
  };
}
