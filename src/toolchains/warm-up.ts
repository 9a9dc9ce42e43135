/** A cell of JavaScript that declares in most ways, and takes that away again, so that the next is read faster. */
export const WARM_UP = `let warm1 = [1].map(n => n + 1), { warm2 = 2 } = {};
function warm3(by = warm2) { return { sum: warm1[0] + by } }
for (var warm4 = 0; warm4 < 1; warm4++) console.log;
for (const name of ['warm1', 'warm2', 'warm3', 'warm4']) delete globalThis[name];`;
