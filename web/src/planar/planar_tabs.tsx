import { DifferenceTab } from "../reading/difference";
import type { Score } from "../reading/levels";
import { Notes } from "../reading/notes";
import { CURIE, SIOPEN } from "../reading/sites";
import type { Reading } from "../reading/types";
import type { Review } from "../reading/use_review";
import type { Texts } from "../text";
import type { Tab } from "../ui/tabs";
import { ComparisonTab } from "./comparison";
import { Findings } from "./findings";
import { LevelTable } from "./level_table";

interface Context {
  review: Review;
  prior: Reading | null;
  priorId: string | null;
  current: { segment: string | null; region: string | null; finding: string | null };
  isTrial: boolean;
  t: Texts["t"];
  chooseLevel: Record<Score, (site: string) => void>;
  chooseFinding: (finding: string) => void;
  choosePrior: (prior: string | null) => void;
  setLevel: (site: string, level: number | null, by: Score) => void;
  remove: (finding: string) => void;
}

/** What is said beside the images; a reader study shows neither priors nor what differs from the program. */
export function planarTabs(context: Context): Tab[] {
  const { review, priorId, current, isTrial, t } = context;
  const { reading, canEdit, edit } = review;
  const levels = (by: Score) => () => (
    <LevelTable
      reading={reading}
      prior={context.prior}
      score={by}
      sites={by === "curie" ? CURIE : SIOPEN}
      current={by === "curie" ? current.region : current.segment}
      canEdit={canEdit}
      choose={context.chooseLevel[by]}
      set={(site, level) => context.setLevel(site, level, by)}
    />
  );
  const own: Tab[] = [
    { id: "siopen", title: t("tab.levels"), body: levels("siopen") },
    { id: "curie", title: t("tab.curie"), body: levels("curie") },
    {
      id: "findings",
      title: `${t("tab.findings")} (${reading.findings.length})`,
      body: () => (
        <Findings
          reading={reading}
          current={current.finding}
          canEdit={canEdit}
          choose={context.chooseFinding}
          remove={context.remove}
          move={(id, site) => void edit({ op: "move", finding: id, site })}
        />
      ),
    },
    { id: "notes", title: t("tab.notes"), body: () => <Notes review={review} /> },
  ];
  if (isTrial) return own;
  return [
    ...own,
    {
      id: "compare",
      title: t("tab.compare"),
      body: () => <ComparisonTab review={review} prior={priorId} choose={context.choosePrior} />,
    },
    { id: "difference", title: t("tab.difference"), body: () => <DifferenceTab review={review} /> },
  ];
}
