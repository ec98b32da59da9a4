export function Trials(_: object) {
  return null;
}
