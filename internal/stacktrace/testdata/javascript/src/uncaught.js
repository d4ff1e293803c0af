function add(n) {
  throw new RangeError('quantity must be positive');
}
add(-1);
