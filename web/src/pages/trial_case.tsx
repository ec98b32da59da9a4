export function TrialCase(_: object) {
  return null;
}
