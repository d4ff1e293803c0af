// Collects one stack per case in a browser.
class Cart {
  constructor(n) {
    if (n < 0) throw new RangeError('quantity must be positive');
    this.n = n;
  }
  static of(ns) { return ns.map((n) => new Cart(n)); }
}
async function later(n) {
  await new Promise((resolve) => setTimeout(resolve, 1));
  return new Cart(n);
}
const outer = { inner: { add: function () { return Cart.of([-1]); } } };
async function attempt(cases, name, f) {
  try { await f(); } catch (e) { cases[name] = { type: e.name, message: e.message, stack: e.stack }; }
}
async function run() {
  const cases = {};
  await attempt(cases, 'map', () => Cart.of([1, -1]));
  await attempt(cases, 'object', () => outer.inner.add());
  await attempt(cases, 'async', () => later(-1));
  await attempt(cases, 'eval', () => eval('(function add() { return new Cart(-1); })()'));
  await attempt(cases, 'promise', () => Promise.resolve(-1).then(function then(n) { return new Cart(n); }));
  return cases;
}
