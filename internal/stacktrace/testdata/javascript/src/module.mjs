export async function run() {
  await null;
  throw new TypeError('from a module');
}
