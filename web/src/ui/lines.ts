/** The lines of a text field, empty ones left out; names may hold spaces. */
export const lines = (text: string): string[] =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
