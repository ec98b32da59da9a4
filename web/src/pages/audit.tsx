export function Audit(_: object) {
  return null;
}
