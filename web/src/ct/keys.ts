import type { HelpRow } from "../reading/help";

/** Keys of the CT review, as the overlay shows them. */
export const CT_HELP: readonly HelpRow[] = [
  ["↓ ↑", "key.lesion"],
  ["h l j k", "key.cross"],
  ["PgUp PgDn", "key.slice"],
  ["a", "key.accept"],
  ["r", "key.reject"],
  ["t", "key.type"],
  ["1 2 3", "key.right"],
  ["b", "key.preset"],
  ["o", "key.overlay"],
  ["n", "key.add"],
  ["e", "ct.edit"],
  ["p x", "key.brush"],
  ["c", "key.comment"],
  ["z y", "key.undo"],
  ["s", "key.sign"],
  ["?", "key.help"],
  ["Esc", "key.close"],
];
