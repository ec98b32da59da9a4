export function Users(_: object) {
  return null;
}
