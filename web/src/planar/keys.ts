import type { HelpRow } from "../reading/help";

/** Keys of the planar review, as the overlay shows them. */
export const PLANAR_HELP: readonly HelpRow[] = [
  ["0 … 6", "key.level"],
  ["x", "key.not"],
  ["↓ ↑", "key.segment"],
  ["k", "key.curie"],
  ["f F", "key.focus"],
  ["Del", "key.remove"],
  ["m", "key.move"],
  ["Tab ← ↑ → ↓", "key.cursor"],
  ["Enter", "key.mark"],
  ["d", "key.lasso"],
  ["- +", "key.upper"],
  ["q", "key.root"],
  ["g", "key.mean"],
  ["b", "view.smooth"],
  ["o O", "key.outlines"],
  ["i I w", "key.zoom"],
  ["p", "key.prior"],
  ["c", "key.comment"],
  ["t", "key.softTissue"],
  ["z y", "key.undo"],
  ["s", "key.sign"],
  ["?", "key.help"],
  ["Esc", "key.close"],
];
